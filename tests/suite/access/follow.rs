//! The model beside the chip: every answer is compared, and tells which states remain possible.

use std::{fmt::Write as _, time::Duration};

use atecc_emulator::Eeprom;

use super::{
    bench::Bench,
    chip::{Memory, slot_range},
    command::Command,
    expectation::{COMMUNICATION, Expectation, MISCOMPARE, SUCCESS},
    figures::{Figures, Verdict},
    generate::Step,
    rules::{self, Change},
    secrets,
    session::Session,
    state::{State, distinct},
};

/// Below the shortest watchdog (section 8.3: 0.7 s) by more than a command takes.
const MAY_STAY_AWAKE: Duration = Duration::from_millis(400);
const SLEEP: u8 = 0x01;
const IDLE: u8 = 0x02;

pub(crate) struct Follower {
    bench: Bench,
    memory: Memory,
    /// All states that the answers so far leave possible.
    states: Vec<State>,
    session: Session,
    address: u8,
}

/// The chip did something that the model excludes.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// What it is about, the same for every occurrence.
    pub(crate) kind: String,
    pub(crate) details: String,
}

impl Follower {
    /// Beside a new chip with this EEPROM, woken.
    pub(crate) fn new(eeprom: Eeprom) -> Result<Self, Difference> {
        let bench = Bench::new(eeprom);
        let mut memory = Memory { bytes: bench.memory(), factory_keys: Vec::new() };
        memory.factory_keys = (8..16)
            .filter(|slot| memory.is_public(*slot))
            .map(|slot| memory.public_key(slot))
            .filter(|key| key.iter().any(|byte| *byte != 0))
            .collect();
        let address = memory.address();
        let mut follower =
            Self { bench, memory, states: vec![State::default()], session: Session::default(), address };
        follower.bus(|bench, address| bench.wake(address))?;
        Ok(follower)
    }

    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn step(&mut self, step: &Step, figures: &mut Figures) -> Result<(), Difference> {
        if self.bench.awake() > MAY_STAY_AWAKE {
            self.idle()?;
        }
        match step {
            Step::Send(command) => self.send(command, figures),
            Step::EncryptedWrite { slot, block, plain } => {
                let command = self.session.write(&self.memory, *slot, *block, *plain);
                self.send(&command, figures)
            }
            Step::Derive { target } => self.send(&Session::derive(&self.memory, *target), figures),
            Step::Damaged(command) => self.send_damaged(command, figures),
            Step::Sleep => {
                self.bus(|bench, address| bench.put_to(SLEEP, address))?;
                self.wake_from_sleep()
            }
            Step::Expire => {
                self.bus(Bench::expire)?;
                self.wake_from_sleep()
            }
            Step::Idle => self.idle(),
        }
    }

    fn bus<T>(&mut self, act: impl FnOnce(&mut Bench, u8) -> Result<T, String>) -> Result<T, Difference> {
        act(&mut self.bench, self.address)
            .map_err(|details| Difference { kind: format!("bus: {details}"), details })
    }

    /// "The entire volatile state of the device is reset" (table 7-2), and a new address takes effect.
    fn wake_from_sleep(&mut self) -> Result<(), Difference> {
        self.states = vec![State::default()];
        self.session.forget();
        self.address = self.memory.address();
        self.bus(|bench, address| bench.wake(address))
    }

    fn idle(&mut self) -> Result<(), Difference> {
        self.bus(|bench, address| bench.put_to(IDLE, address))?;
        self.bus(|bench, address| bench.wake(address))?;
        self.states = distinct(self.states.iter().flat_map(State::after_idle).collect());
        Ok(())
    }

    /// "No attempt was made to parse or execute the command" (table 4-3).
    fn send_damaged(&mut self, command: &Command, figures: &mut Figures) -> Result<(), Difference> {
        let answer = self.bus(|bench, address| bench.exchange(address, command, true))?;
        figures.count(command.opcode, Verdict::Refused);
        if answer != [COMMUNICATION] {
            return Err(self.difference(command, &answer, "a damaged packet is a communication error"));
        }
        self.compare_memory(command, &answer)
    }

    fn send(&mut self, command: &Command, figures: &mut Figures) -> Result<(), Difference> {
        let answer = self.bus(|bench, address| bench.exchange(address, command, false))?;
        let expectations: Vec<Expectation> =
            self.states.iter().map(|state| rules::expected(command, &self.memory, state)).collect();
        figures.count(command.opcode, Verdict::of(&expectations));
        let after: Vec<State> = self
            .states
            .iter()
            .zip(&expectations)
            .flat_map(|(state, expectation)| self.after(command, state, expectation, &answer))
            .collect();
        if after.is_empty() {
            return Err(self.difference(command, &answer, "the answer is not among the expected ones"));
        }
        if let Some(slot) = secrets::disclosed(&self.memory, &answer) {
            return Err(self.difference(command, &answer, &format!("the answer discloses slot {slot}")));
        }
        if !is_refusal(&answer) {
            self.session.follow(command, &self.memory, &answer);
            for change in rules::changes(command, &self.memory, &answer) {
                self.apply(&change);
            }
        }
        self.compare_memory(command, &answer)?;
        self.states = distinct(after);
        Ok(())
    }

    /// The states that may follow `state` if this was the answer; none if it cannot have been.
    fn after(
        &self,
        command: &Command,
        state: &State,
        expectation: &Expectation,
        answer: &[u8],
    ) -> Vec<State> {
        let allowed = || rules::after_allowed(command, &self.memory, state, answer);
        let refused = || rules::after_refused(command, state);
        match expectation {
            Expectation::Allowed(expected) if expected.is(answer) => allowed(),
            Expectation::Refused(statuses) if answer.len() == 1 && statuses.contains(&answer[0]) => refused(),
            Expectation::Unspecified(expected) if expected.is(answer) || !is_refusal(answer) => {
                [allowed(), refused()].concat()
            }
            Expectation::Unspecified(_) => refused(),
            Expectation::Allowed(_) | Expectation::Refused(_) => Vec::new(),
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Exactly(start, bytes) => {
                self.memory.bytes[*start..][..bytes.len()].copy_from_slice(bytes);
            }
            Change::Anything(range) => {
                let actual = self.bench.memory();
                self.memory.bytes[range.clone()].copy_from_slice(&actual[range.clone()]);
            }
        }
    }

    fn compare_memory(&self, command: &Command, answer: &[u8]) -> Result<(), Difference> {
        let actual = self.bench.memory();
        match self.memory.bytes.iter().zip(&actual).position(|(expected, actual)| expected != actual) {
            Some(position) => {
                let place = (0..16).find(|slot| slot_range(*slot).contains(&position));
                let place = place.map_or_else(|| format!("byte {position}"), |slot| format!("slot {slot}"));
                Err(self.difference(
                    command,
                    answer,
                    &format!("the EEPROM changed otherwise than allowed: {place}"),
                ))
            }
            None => Ok(()),
        }
    }

    fn difference(&self, command: &Command, answer: &[u8], what: &str) -> Difference {
        let short = match answer {
            [status] => format!("status {status:#04x}"),
            bytes => format!("{} bytes", bytes.len()),
        };
        let name = rules::name(command.opcode);
        let mut details = format!("{command:?} was answered with {short} {answer:02x?}: {what}\n");
        for state in &self.states {
            let expected = rules::expected(command, &self.memory, state);
            let _ = writeln!(details, "  in {state:?}\n    expected {expected:?}");
        }
        Difference { kind: format!("{name} mode {:#04x}: {short}: {what}", command.mode), details }
    }
}

fn is_refusal(answer: &[u8]) -> bool {
    matches!(answer, [status] if *status != SUCCESS) || answer == [MISCOMPARE]
}
