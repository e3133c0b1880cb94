//! Many sequences on one kind of chip; a sequence that differs is shortened.

use std::collections::BTreeMap;

use atecc::Slot;
use atecc_emulator::{Eeprom, provision::Personality};

use super::{
    bench::image,
    chip::Memory,
    figures::Figures,
    follow::{Difference, Follower},
    generate::{self, Step},
    random::Random,
    vectors::stored_key,
};

/// Steps in a sequence; each begins with a chip that nothing has been done to.
const STEPS: usize = 60;
/// Sequences with the same chip, since a new one takes its time to be certified.
const SEQUENCES_PER_CHIP: usize = 25;
/// More kinds of differences than this are not looked for.
const ENOUGH: usize = 60;

/// What was found on one kind of chip.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) figures: Figures,
    /// By kind: how often, and the shortened sequence of the first one with its details.
    pub(crate) differences: BTreeMap<String, (usize, String)>,
}

/// Sends `commands` or a few more.
pub(crate) fn explore(personality: Personality, seed: u64, commands: usize) -> Findings {
    let mut random = Random::new(seed);
    let mut findings = Findings::default();
    while findings.figures.commands() < commands && findings.differences.len() < ENOUGH {
        let eeprom = match personality.make() {
            Ok(eeprom) => eeprom,
            Err(error) => {
                findings.differences.insert("no chip".into(), (1, error.to_string()));
                break;
            }
        };
        for _ in 0..SEQUENCES_PER_CHIP {
            sequence(&with_other_keys(&eeprom, &mut random), &mut random, &mut findings);
        }
    }
    findings
}

/// `eeprom` with a key in the slots for public keys that need validation: validated, invalidated, or neither.
/// A sequence cannot get there, since the test has no key to sign the validation with.
fn with_other_keys(eeprom: &Eeprom, random: &mut Random) -> Eeprom {
    let mut eeprom = eeprom.clone();
    let memory = Memory { bytes: image(&eeprom), factory_keys: Vec::new() };
    for slot in (8..16).filter(|slot| memory.is_public(*slot) && memory.pub_info(*slot)).filter_map(Slot::new)
    {
        let content = eeprom.slot_mut(slot);
        content.copy_from_slice(&stored_key());
        content[0] = *random.pick(&[0x00, 0x50, 0xa0]);
    }
    eeprom
}

fn sequence(eeprom: &Eeprom, random: &mut Random, findings: &mut Findings) {
    let steps = match Follower::new(eeprom.clone()) {
        Ok(follower) => generate::sequence(random, follower.memory(), STEPS),
        Err(difference) => return note(findings, eeprom, &[], difference),
    };
    if let Err(difference) = play(eeprom, &steps, &mut findings.figures) {
        note(findings, eeprom, &steps, difference);
    }
}

fn play(eeprom: &Eeprom, steps: &[Step], figures: &mut Figures) -> Result<(), Difference> {
    let mut follower = Follower::new(eeprom.clone())?;
    steps.iter().try_for_each(|step| follower.step(step, figures))
}

fn note(findings: &mut Findings, eeprom: &Eeprom, steps: &[Step], difference: Difference) {
    let entry = findings.differences.entry(difference.kind.clone()).or_default();
    entry.0 += 1;
    if entry.0 == 1 {
        let (steps, difference) = shorten(eeprom, steps.to_vec(), difference);
        let lines: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
        entry.1 = format!("{}\n{}", lines.join("\n"), difference.details);
    }
}

/// Drops steps as long as the same difference remains: halves, quarters and so on, at last one by one.
fn shorten(eeprom: &Eeprom, mut steps: Vec<Step>, mut difference: Difference) -> (Vec<Step>, Difference) {
    let mut length = steps.len().div_ceil(2);
    while length > 0 {
        let before = steps.len();
        let mut position = 0;
        while position < steps.len() {
            let end = (position + length).min(steps.len());
            let fewer: Vec<Step> = [&steps[..position], &steps[end..]].concat();
            match play(eeprom, &fewer, &mut Figures::default()) {
                Err(same) if same.kind == difference.kind => {
                    steps = fewer;
                    difference = same;
                }
                _ => position = end,
            }
        }
        if steps.len() == before {
            length /= 2;
        }
    }
    (steps, difference)
}
