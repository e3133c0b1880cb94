//! Random commands to the emulated chip against the model of the access rules, which the test `access` uses too.

use std::time::Instant;

use atecc_emulator::provision::Personality;

use self::model::{explore::explore, figures::Figures};
use super::{Random, Report};

/// The model, shared with the test.
#[path = "../../../suite/access"]
mod model {
    mod bench;
    mod chip;
    mod command;
    mod expectation;
    pub(super) mod explore;
    pub(super) mod figures;
    mod follow;
    mod generate;
    mod random;
    mod rules;
    mod secrets;
    mod session;
    mod state;
    mod vectors;
}

/// Commands to one kind of chip before the next one's turn.
const TURN: usize = 20_000;

pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    let mut all = Figures::default();
    while Instant::now() < end {
        for personality in Personality::ALL {
            let findings = explore(personality, random.next(), TURN);
            all.add(&findings.figures);
            if let Some((kind, (_, sequence))) = findings.differences.first_key_value() {
                return Err(format!("{}: {kind}\n{sequence}", personality.part()));
            }
        }
    }
    let [allowed, refused, unspecified, undetermined] = all.total();
    Ok(format!(
        "{} commands, {allowed} allowed and {refused} refused as the data sheets say, {} that they leave open",
        all.commands(),
        unspecified + undetermined
    ))
}
