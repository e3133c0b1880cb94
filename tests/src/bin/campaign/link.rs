//! The bridge protocol over a line that damages what it carries, and both ends with any input.
//!
//! `campaign --link N` sends N frames through two pseudo-terminals with a middle that flips, drops, inserts and
//! reorders bytes, puts boot text between them, and pulls the plug of either end. The middle sees no frames: what it
//! damages are chunks, a read each, of one frame, of a part of one or of several. `campaign --kit N` sends N lines of
//! Microchip's text protocol over the same line. `campaign --link-inputs N` gives N inputs to the ends of both
//! protocols. `--seed S` shows a run again as far as threads allow.

mod inputs;
mod middle;
mod pulse;
mod requests;
mod terminal;
mod text;

use std::{process::ExitCode, time::Instant};

use super::{Random, Report, Which};

/// Runs what the command line asks for, if it is for the link.
pub(crate) fn asked(which: &Which, seed: Option<u64>) -> Option<ExitCode> {
    let seed = seed.unwrap_or(0x5eed);
    let random = Random(seed | 1);
    let start = Instant::now();
    let report: Report = if let Some(frames) = which.link {
        requests::run(frames, random)
    } else if let Some(lines) = which.kit {
        text::run(lines, random)
    } else if let Some(count) = which.link_inputs {
        inputs::run(count, random)
    } else {
        return None;
    };
    let seconds = start.elapsed().as_secs_f64();
    Some(match report {
        Ok(figures) => {
            println!("link {figures}, {seconds:.0} s, seed {seed}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            println!("link FAILED after {seconds:.0} s with --seed {seed}: {problem}");
            ExitCode::FAILURE
        }
    })
}
