//! MAC and CheckMac (sections 5.3.5 and 5.3.2).

use super::{
    super::{
        chip::Memory,
        command::Command,
        expectation::{Answer, Expectation, Findings, SUCCESS},
        state::{Source, State},
    },
    needs_locks, slot,
};

/// Mode bits: the second and the first 32 bytes come from TempKey.
const SECOND: u8 = 0x01;
const FIRST: u8 = 0x02;

/// What both have in common; their `mode` without the serial number's bit.
fn common(findings: &mut Findings, mode: u8, command: &Command, memory: &Memory, state: &State) {
    needs_locks(findings, memory);
    // Bits 4 and 5 mean OTP on older parts of the family.
    findings.silent(mode & 0x30 != 0);
    findings.illegal(mode & 0xc8 != 0);
    // Both halves from TempKey, or SourceFlag without TempKey, are in no table.
    findings.silent(mode & 0x03 == 0x03 || mode & 0x07 == 0x04);
    let temp_key = &state.temp_key;
    if mode & (FIRST | SECOND) != 0 {
        findings.needs_temp_key(temp_key);
        findings.needs_matching_source(temp_key, mode);
    }
    if mode & FIRST != 0 {
        findings.silent(command.param2 != 0);
        return;
    }
    let slot = slot(findings, command.param2);
    findings.silent(memory.is_private(slot));
    if memory.needs_random_nonce(slot) {
        // "A random nonce is required when this key is used" (table 2-8). Whether that forbids a message
        // without a nonce is open: section 2.2.1.4 has the host check this key by MAC and a challenge.
        findings.silent(mode & SECOND == 0);
        if mode & SECOND != 0 {
            findings.needs_flag(temp_key, temp_key.source == Source::Random);
        }
    }
}

pub(crate) fn mac(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    let mode = command.mode & !0x40;
    common(&mut findings, mode, command, memory, state);
    findings.length(command.data.len(), if mode & SECOND != 0 { 0 } else { 32 });
    if mode & FIRST == 0 {
        // NoMac: "cannot be used by the MAC command" (tables 2-9 of TFLXTLS and 2-20 of TNGLORA).
        findings.forbidden(memory.is_no_mac((command.param2 & 0x0f) as u8));
    }
    if mode & (FIRST | SECOND) != 0 {
        findings.needs_flag(&state.temp_key, !state.temp_key.no_mac);
    }
    findings.conclude(Answer::data(32))
}

pub(crate) fn after_mac(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let uses = command.mode & (FIRST | SECOND) != 0;
    vec![if uses { state.without_temp_key() } else { state.clone() }]
}

pub(crate) fn check_mac(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    common(&mut findings, command.mode, command, memory, state);
    findings.length(command.data.len(), 77);
    findings.conclude(Answer::Compared)
}

/// After a mismatch TempKey may be there or not: the command was executed, but ended with an error.
pub(crate) fn after_check_mac(
    command: &Command,
    memory: &Memory,
    state: &State,
    answer: &[u8],
) -> Vec<State> {
    let mut states = after_mac(command, memory, state, answer);
    if answer != [SUCCESS] {
        states.push(state.clone());
        states.push(state.without_temp_key());
    }
    states
}
