//! The figures, for people and for programs.

use std::{fmt::Write, time::Duration};

use crate::{
    Result, Side,
    cost::{Cost, median},
    scenario::Scenario,
};

/// What a signature may take, measured by chip and bus time.
const GOAL: f64 = 1.05;

/// The costs of one side in one scenario.
struct Row {
    scenario: Scenario,
    side: &'static str,
    costs: Vec<Cost>,
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Measured {
    rows: Vec<Row>,
}

impl Measured {
    /// Lets `side` do it once more.
    pub(crate) fn add<S: Side>(&mut self, side: &mut S, scenario: Scenario) -> Result<()> {
        let Some(cost) = side.measure(scenario)? else { return Ok(()) };
        match self.rows.iter_mut().find(|row| row.scenario == scenario && row.side == S::NAME) {
            Some(row) => row.costs.push(cost),
            None => self.rows.push(Row { scenario, side: S::NAME, costs: vec![cost] }),
        }
        Ok(())
    }

    /// By scenario, in each as the sides came.
    fn rows(&self) -> impl Iterator<Item = &Row> {
        Scenario::ALL
            .into_iter()
            .flat_map(|scenario| self.rows.iter().filter(move |row| row.scenario == scenario))
    }

    /// How long `row` took, measured by how long Microchip's library took for the same.
    fn against_vendor(&self, row: &Row) -> Option<f64> {
        if row.side != crate::Served::NAME && row.side != crate::Module::NAME {
            return None;
        }
        let is_theirs = |other: &&Row| other.scenario == row.scenario && other.side == crate::Vendor::NAME;
        let theirs = self.rows.iter().find(is_theirs)?;
        Some(row.median(|cost| cost.wall).as_secs_f64() / theirs.median(|cost| cost.wall).as_secs_f64())
    }
}

impl Row {
    fn median<T: Copy + PartialOrd + Default>(&self, field: impl Fn(&Cost) -> T) -> T {
        median(self.costs.iter().map(field))
    }

    /// The median of a ratio, nothing if they took the chip nothing.
    fn ratio(&self, of: impl Fn(&Cost) -> Option<f64>) -> Option<f64> {
        let ratios: Vec<f64> = self.costs.iter().filter_map(of).collect();
        (!ratios.is_empty()).then(|| median(ratios.into_iter()))
    }

    /// The ratio of all together, nothing if they took the chip nothing.
    fn mean_ratio(&self) -> Option<f64> {
        let sum = |time: fn(&Cost) -> Duration| self.costs.iter().map(time).sum::<Duration>();
        Cost { chip: sum(Cost::floor), wall: sum(|cost| cost.wall), ..Cost::default() }.ratio()
    }

    /// The ratio that so many of a thousand do not exceed.
    fn ratio_of(&self, thousandths: usize) -> Option<f64> {
        let mut ratios: Vec<f64> = self.costs.iter().filter_map(Cost::ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let rank = (ratios.len() * thousandths).div_ceil(1_000);
        ratios.get(rank.saturating_sub(1)).copied()
    }

    /// How many took more than a twentieth above the floor.
    fn above_goal(&self) -> usize {
        self.costs.iter().filter_map(Cost::ratio).filter(|ratio| *ratio > GOAL).count()
    }
}

/// The table, and one about the spread of the ratio of signatures.
pub(crate) fn markdown(measured: &Measured) -> String {
    let mut text = String::from(
        "| scenario | side | wakes | transactions (failed polls) | bytes | commands | chip ms | bus ms | wall ms \
         | wall/(chip+bus) | with tWHI | ours/Microchip's |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in measured.rows() {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} ({}) | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.scenario.name(),
            row.side,
            row.median(|cost| cost.wakes),
            row.median(|cost| cost.transactions),
            row.median(|cost| cost.polls),
            row.median(|cost| cost.bytes),
            row.median(|cost| cost.commands),
            milliseconds(row.median(|cost| cost.chip)),
            milliseconds(row.median(|cost| cost.bus)),
            milliseconds(row.median(|cost| cost.wall)),
            ratio(row.ratio(Cost::ratio)),
            ratio(row.ratio(Cost::ratio_with_wake)),
            measured.against_vendor(row).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        );
    }
    let signatures = [Scenario::FirstSignature, Scenario::Signature, Scenario::SignatureWithoutRandom];
    text.push_str(
        "\n| wall/(chip+bus) of | side | measured | mean | median | p99 | worst | above 1.05 |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in measured.rows().filter(|row| signatures.contains(&row.scenario)) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.scenario.name(),
            row.side,
            row.costs.len(),
            ratio(row.mean_ratio()),
            ratio(row.ratio(Cost::ratio)),
            ratio(row.ratio_of(990)),
            ratio(row.ratio_of(1_000)),
            row.above_goal(),
        );
    }
    text
}

/// The same, an object for each row of the table.
pub(crate) fn json(measured: &Measured) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "null".into(), |value| format!("{value:.4}"));
    measured
        .rows()
        .map(|row| {
            format!(
                "{{\"scenario\": \"{}\", \"side\": \"{}\", \"samples\": {}, \"wakes\": {}, \"transactions\": {}, \
                 \"polls\": {}, \"bytes\": {}, \"commands\": {}, \"chip_ms\": {}, \"bus_ms\": {}, \"wall_ms\": {}, \
                 \"ratio\": {}, \"ratio_with_wake\": {}, \"ratio_mean\": {}, \"ratio_p99\": {}, \"ratio_worst\": {}, \
                 \"ours_to_vendor\": {}}}",
                row.scenario.name(),
                row.side,
                row.costs.len(),
                row.median(|cost| cost.wakes),
                row.median(|cost| cost.transactions),
                row.median(|cost| cost.polls),
                row.median(|cost| cost.bytes),
                row.median(|cost| cost.commands),
                milliseconds(row.median(|cost| cost.chip)),
                milliseconds(row.median(|cost| cost.bus)),
                milliseconds(row.median(|cost| cost.wall)),
                number(row.ratio(Cost::ratio)),
                number(row.ratio(Cost::ratio_with_wake)),
                number(row.mean_ratio()),
                number(row.ratio_of(990)),
                number(row.ratio_of(1_000)),
                number(measured.against_vendor(row)),
            )
        })
        .collect()
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}
