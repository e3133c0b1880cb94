//! SecureBoot (TFLXTLS section 5.2.3). TNGTLS calls it unused, and its parts have the same two bytes.

use super::{
    super::{
        chip::{Memory, slot_range},
        command::Command,
        expectation::{Answer, ECC, EXECUTION, Expectation, Findings, MISCOMPARE},
        state::State,
        vectors::{DIGEST, PUBLIC_KEY, SIGNATURE},
    },
    Change, needs_locks,
};

const FULL_STORE: u8 = 0x06;
const FULL_COPY: u8 = 0x07;
const MAC: u8 = 0x80;
/// SecureBootMode in the configuration zone: the digest is stored.
const FULL_DIGEST: u8 = 3;

pub(crate) fn secure_boot(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    let (mode, mac) = (command.mode & 0x07, command.mode & MAC != 0);
    findings.illegal(command.mode & 0x38 != 0 || mode < 5);
    // Mode 5 and the bit 0x40 are in no table of these parts.
    findings.silent(mode == 5 || command.mode & 0x40 != 0 || command.param2 != 0);
    findings.forbidden(memory.secure_boot_mode() == 0);
    findings.silent(memory.secure_boot_mode() != FULL_DIGEST);
    findings.length(command.data.len(), if mode == FULL_STORE { 32 } else { 96 });
    if mac {
        findings.needs_temp_key(&state.temp_key);
        findings.forbidden(!memory.is_io_protection_enabled());
    }
    if mode == FULL_STORE {
        let stored = memory.slot(memory.secure_boot_digest_slot()).get(..32);
        if !mac && command.data.get(..32) == stored {
            // An empty slot is no digest that FullCopy left there.
            findings.silent(command.data.iter().all(|byte| *byte == 0));
            return findings.conclude(Answer::Done);
        }
        // Before any FullCopy: an error or a mismatch.
        findings.refuse(true, &[MISCOMPARE, EXECUTION]);
        return findings.conclude(Answer::Differs);
    }
    let key = memory.public_key(memory.secure_boot_key_slot());
    let right = !mac && command.data == [DIGEST.as_slice(), &SIGNATURE].concat() && key == PUBLIC_KEY;
    findings.refuse(!right, &[MISCOMPARE, EXECUTION, ECC]);
    findings.conclude(Answer::Done)
}

pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    if command.mode & MAC != 0 {
        return vec![state.without_temp_key()];
    }
    // Whether the other modes use volatile memory is not told.
    vec![state.clone(), state.without_temp_key()]
}

pub(crate) fn stored(command: &Command, memory: &Memory, _: &[u8]) -> Vec<Change> {
    if command.mode & 0x07 != FULL_COPY {
        return Vec::new();
    }
    let start = slot_range(memory.secure_boot_digest_slot()).start;
    vec![Change::Exactly(start, command.data.iter().take(32).copied().collect())]
}
