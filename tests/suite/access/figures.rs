//! What was sent and what the model said about it.

use std::{collections::BTreeMap, fmt};

use super::{expectation::Expectation, rules};

/// What the model said beforehand about one command, over all states that were possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Refused,
    /// The sources do not settle it.
    Unspecified,
    /// The sources leave open what an earlier command did to volatile memory.
    Undetermined,
}

impl Verdict {
    pub(crate) fn of(expectations: &[Expectation]) -> Self {
        let all = |test: fn(&Expectation) -> bool| expectations.iter().all(test);
        if all(|expectation| matches!(expectation, Expectation::Allowed(_))) {
            Self::Allowed
        } else if all(|expectation| matches!(expectation, Expectation::Refused(_))) {
            Self::Refused
        } else if expectations.iter().any(|expectation| matches!(expectation, Expectation::Unspecified(_))) {
            Self::Unspecified
        } else {
            Self::Undetermined
        }
    }
}

/// Numbers of commands, per opcode: in the order of [`Verdict`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(BTreeMap<u8, [usize; 4]>);

impl Figures {
    pub(crate) fn count(&mut self, opcode: u8, verdict: Verdict) {
        let known = if rules::name(opcode) == "unknown" { 0xff } else { opcode };
        self.0.entry(known).or_default()[verdict as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (opcode, numbers) in &other.0 {
            let sums = self.0.entry(*opcode).or_default();
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += number;
            }
        }
    }

    pub(crate) fn total(&self) -> [usize; 4] {
        let mut total = [0; 4];
        for numbers in self.0.values() {
            for (sum, number) in total.iter_mut().zip(numbers) {
                *sum += number;
            }
        }
        total
    }

    pub(crate) fn commands(&self) -> usize {
        self.total().iter().sum()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:>8} {:>8} {:>8} {:>11} {:>12}",
            "command", "sent", "allowed", "refused", "unspecified", "undetermined"
        )?;
        let rows = self.0.iter().map(|(opcode, numbers)| (rules::name(*opcode), *numbers));
        for (name, numbers) in rows.chain([("all", self.total())]) {
            let [allowed, refused, unspecified, undetermined] = numbers;
            let sent: usize = numbers.iter().sum();
            writeln!(
                f,
                "{name:<12} {sent:>8} {allowed:>8} {refused:>8} {unspecified:>11} {undetermined:>12}"
            )?;
        }
        Ok(())
    }
}
