//! DeriveKey (TNGLORA section 5.3.3) and AES (section 5.3.1).

use super::{
    super::{
        chip::{Memory, slot_range, slot_size},
        command::Command,
        expectation::{Answer, EXECUTION, Expectation, Findings, MISCOMPARE},
        state::{Source, State},
    },
    Change, needs_locks, slot,
};

/// The key in TempKey.
const TEMP_KEY: u16 = 0xffff;

pub(crate) fn derive_key(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    findings.illegal(command.mode & !0x04 != 0);
    let target = slot(&mut findings, command.param2);
    findings.forbidden(!memory.is_creation_allowed(target) || memory.is_private(target));
    findings.forbidden(memory.is_slot_locked(target));
    findings.silent(memory.is_public(target));
    findings.needs_temp_key(&state.temp_key);
    findings.needs_matching_source(&state.temp_key, command.mode);
    // "The Nonce command must have been run to create a valid nonce": of what GenDig or GenKey made, nothing.
    findings.silent(state.temp_key.gen_dig || state.temp_key.gen_key || state.temp_key.no_mac);
    let source = if memory.derives_from_parent(target) { memory.write_key(target) } else { target };
    if memory.needs_random_nonce(source) {
        findings.needs_flag(&state.temp_key, state.temp_key.source == Source::Random);
    }
    let mac = memory.needs_derivation_mac(target);
    // A MAC that is missing: an error, which one is open.
    findings.wrong(mac && command.data.len() < 32);
    findings.silent(command.data.len() > if mac { 32 } else { 0 });
    findings.refuse(mac && !command.proves_key, &[EXECUTION, MISCOMPARE]);
    findings.conclude(Answer::Done)
}

pub(crate) fn derived(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    let start = slot_range((command.param2 & 0x0f) as u8).start;
    vec![Change::Anything(start..start + 32)]
}

pub(crate) fn aes(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    findings.wrong(!memory.is_aes_enabled());
    if command.mode & 0x03 == 0x03 {
        // "If this mode is selected, the remaining mode bits are ignored." No key is involved.
        findings.silent(command.param2 != 0);
        findings.length(command.data.len(), 32);
        return findings.conclude(Answer::data(16));
    }
    findings.illegal(command.mode & 0x3c != 0 || command.mode & 0x03 == 0x02);
    findings.length(command.data.len(), 16);
    let block = usize::from(command.mode >> 6);
    if command.param2 == TEMP_KEY {
        findings.needs_temp_key(&state.temp_key);
        // "Within the first 16 bytes of TempKey": other blocks are in no table.
        findings.silent(block != 0);
    } else {
        let slot = slot(&mut findings, command.param2);
        findings.forbidden(!memory.is_aes(slot));
        // As many keys as fit: two in slot 5 of TFLXTLS (table 2-7), four at most.
        findings.wrong(16 * (block + 1) > slot_size(slot));
    }
    findings.conclude(Answer::data(16))
}
