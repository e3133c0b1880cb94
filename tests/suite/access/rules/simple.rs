//! Commands that do not use keys: Counter, Info, Lock, Random, SelfTest, UpdateExtra (section 5.1).

use super::{
    super::{
        chip::{Memory, slot_range},
        command::Command,
        expectation::{Answer, Expectation, Findings, SUCCESS},
        state::State,
    },
    Change, slot,
};

pub(crate) fn random(command: &Command, _: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.illegal(command.mode > 1);
    // Mode 1, without update of the seed, is that of older parts.
    findings.silent(command.mode == 1 || command.param2 != 0 || !command.data.is_empty());
    findings.conclude(Answer::data(32))
}

pub(crate) fn info(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.silent(!command.data.is_empty());
    match command.mode {
        0 => {
            findings.silent(command.param2 != 0);
            // The last byte is the silicon's and "may or may not be the same" as that of the zone (5.1.2.1).
            findings.conclude(Answer::data(4))
        }
        1 => {
            let slot = slot(&mut findings, command.param2);
            // "If the KeyType is not ECC, the output is not useful": whether it is an error is open.
            findings.silent(!memory.is_private(slot) && !memory.is_public(slot));
            let content = memory.slot(slot);
            let valid = memory.is_private(slot) && content.iter().any(|byte| *byte != 0);
            findings.conclude(if valid { Answer::Exactly(vec![0, 0, 0, 1]) } else { Answer::data(4) })
        }
        2 => {
            findings.silent(command.param2 != 0);
            findings.conclude(Answer::Flags(state.temp_key.clone()))
        }
        mode => {
            // GPIO "can not be used with I2C devices" (TFLXTLS section 5.1.2.4).
            findings.wrong(mode == 3);
            findings.illegal(mode > 4);
            // The persistent latch is for parts that use it (TFLXTLS section 5.1.2.5).
            findings.silent(mode == 4);
            findings.conclude(Answer::data(4))
        }
    }
}

/// Section 5.1.7, table 5-22.
pub(crate) fn self_test(command: &Command, _: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.illegal(command.mode & 0xc0 != 0);
    // Bit 1 is zero in the table; the vendor's tests set it to run all, and expect success.
    findings.silent(command.mode & 0x02 != 0);
    findings.silent(command.param2 != 0 || !command.data.is_empty());
    findings.conclude(Answer::Done)
}

/// Section 5.1.1.
pub(crate) fn counter(command: &Command, memory: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    // Vendor's tests: a counter that does not exist is a parse error.
    findings.illegal(command.mode > 1 || command.param2 > 1);
    findings.silent(!command.data.is_empty() || !memory.is_configuration_locked());
    findings.conclude(Answer::data(4))
}

/// The encoding in the zone is not published: anything within that counter, by an increment.
pub(crate) fn counted(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    let start = 52 + 8 * usize::from(command.param2 & 1);
    if command.mode == 1 { vec![Change::Anything(start..start + 8)] } else { Vec::new() }
}

/// Section 5.1.9. A value of zero, and more than a byte, are not mentioned.
pub(crate) fn update_extra(command: &Command, memory: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.illegal(command.mode > 2);
    // Mode 2 is for keys of limited use, which these parts do not have.
    findings.silent(command.mode == 2 || command.param2 == 0 || command.param2 > 0xff);
    findings.silent(!command.data.is_empty());
    if command.mode < 2 {
        let current = memory.bytes[84 + usize::from(command.mode)];
        findings.forbidden(memory.is_data_locked() && current != 0);
        findings.silent(!memory.is_data_locked());
    }
    findings.conclude(Answer::Done)
}

pub(crate) fn updated(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    match command.mode {
        0 | 1 => vec![Change::Exactly(84 + usize::from(command.mode), vec![command.param2 as u8])],
        _ => Vec::new(),
    }
}

/// Section 5.1.3: "any slot that has the Lockable bit set and has not previously been slot-locked".
pub(crate) fn lock(command: &Command, memory: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.illegal(command.mode & 0x40 != 0 || command.mode & 3 == 3);
    findings.silent(!command.data.is_empty());
    match command.mode & 3 {
        2 => {
            let slot = command.mode >> 2 & 0x0f;
            // Bit 7, no CRC, has no meaning here.
            findings.silent(command.mode & 0x80 != 0);
            findings.forbidden(!memory.is_lockable(slot) || memory.is_slot_locked(slot));
            findings.silent(!memory.is_data_locked());
        }
        // The sheets' parts are locked already.
        zone => {
            findings.illegal(command.mode & 0x3c != 0);
            let locked = if zone == 0 { memory.is_configuration_locked() } else { memory.is_data_locked() };
            findings.forbidden(locked || zone == 1 && !memory.is_configuration_locked());
            findings.silent(command.mode & 0x80 == 0);
        }
    }
    findings.conclude(Answer::Done)
}

pub(crate) fn locked(command: &Command, memory: &Memory, answer: &[u8]) -> Vec<Change> {
    if answer != [SUCCESS] {
        return Vec::new();
    }
    match command.mode & 3 {
        0 => vec![Change::Exactly(87, vec![0])],
        1 => vec![Change::Exactly(86, vec![0])],
        _ => {
            let slot = command.mode >> 2 & 0x0f;
            let byte = 88 + usize::from(slot / 8);
            debug_assert!(slot_range(slot).start > byte);
            vec![Change::Exactly(byte, vec![memory.bytes[byte] & !(1 << (slot % 8))])]
        }
    }
}
