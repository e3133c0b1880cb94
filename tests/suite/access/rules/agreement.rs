//! ECDH (section 5.2.1).

use super::{
    super::{
        chip::{Memory, Writing, slot_range},
        command::Command,
        expectation::{Answer, ECC, EXECUTION, Expectation, Findings, PARSE},
        state::{Content, State, TempKey},
        vectors::is_good_key,
    },
    Change, needs_locks, slot,
};

const FROM_TEMP_KEY: u8 = 0x01;
const ENCRYPTED: u8 = 0x02;
/// Where the result goes.
const TARGET: u8 = 0x0c;
const TO_SLOT: u8 = 0x04;
const TO_TEMP_KEY: u8 = 0x08;
const TO_OUTPUT: u8 = 0x0c;

pub(crate) fn ecdh(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    let mode = command.mode;
    findings.illegal(mode & 0xf0 != 0);
    // Modes that tables 5-35 and 5-37 do not list.
    findings.silent(!matches!(mode, 0x08 | 0x0c | 0x0e | 0x05 | 0x09 | 0x0d | 0x0f));
    findings.length(command.data.len(), 64);
    let good = command.data.get(..64).is_some_and(is_good_key);
    findings.refuse(!good, &[ECC, EXECUTION, PARSE]);
    if mode & FROM_TEMP_KEY != 0 {
        findings.forbidden(!state.temp_key.valid || state.temp_key.content != Content::PrivateKey);
        if mode & TARGET == TO_SLOT {
            target(&mut findings, command, memory);
        } else {
            findings.silent(command.param2 != 0);
        }
    } else {
        let slot = slot(&mut findings, command.param2);
        findings.forbidden(!memory.may_agree(slot));
        // Bit 3, which sends the result into a slot, is not set in any of the sheets' parts.
        findings.silent(memory.read_key(slot) & 0x08 != 0);
        let empty = memory.slot(slot).iter().all(|byte| *byte == 0);
        findings.refuse(memory.is_private(slot) && empty, &[ECC, EXECUTION]);
    }
    findings.forbidden(mode & ENCRYPTED != 0 && !memory.is_io_protection_enabled());
    findings.conclude(match mode & TARGET {
        TO_OUTPUT if mode & ENCRYPTED != 0 => Answer::data(64),
        // The note says both that output is encrypted in this mode and that it depends on the mode only.
        TO_OUTPUT if memory.ecdh_protection() != 0 => Answer::Data(vec![32, 64]),
        TO_OUTPUT => Answer::data(32),
        0 => Answer::Data(vec![1, 32]),
        _ => Answer::Done,
    })
}

/// Slot 9 is the "intermediate key storage for ECDH and KDF output" (section 2.2.3); its KeyConfig has the bit
/// that permits "writes by KDF command" (TNGLORA section 2.2.4). Of ECDH to other slots nothing is said.
fn target(findings: &mut Findings, command: &Command, memory: &Memory) {
    let slot = slot(findings, command.param2);
    findings.forbidden(memory.is_slot_locked(slot) || memory.is_private(slot));
    let storage = memory.is_aes(slot) && memory.pub_info(slot) && memory.writing(slot) == Writing::Always;
    findings.silent(!storage);
}

pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let to_temp_key = command.mode & TARGET == TO_TEMP_KEY;
    if to_temp_key {
        return state.with_lower(TempKey::derived(false));
    }
    let used = command.mode & FROM_TEMP_KEY != 0;
    vec![if used { state.without_temp_key() } else { state.clone() }]
}

pub(crate) fn stored(command: &Command, memory: &Memory, answer: &[u8]) -> Vec<Change> {
    if command.mode & TARGET == TO_OUTPUT || command.mode & TARGET == TO_TEMP_KEY || answer.len() > 1 {
        return Vec::new();
    }
    let slot = (command.param2 & 0x0f) as u8;
    let target = if command.mode & FROM_TEMP_KEY != 0 {
        slot
    } else {
        // No table has this mode. On older parts of the family the result goes into the next slot; whatever is
        // done here, one that is locked or takes encrypted writes only (TFLXTLS table 2-7) stays as it is.
        let next = slot | 1;
        if memory.is_slot_locked(next) || memory.writing(next) != Writing::Always {
            return Vec::new();
        }
        next
    };
    let start = slot_range(target).start;
    vec![Change::Anything(start..start + 32)]
}
