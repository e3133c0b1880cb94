//! KDF (section 5.3.4).

use super::{
    super::{
        chip::{Memory, Writing, slot_range, slot_size},
        command::Command,
        expectation::{Answer, Expectation, Findings},
        state::{State, TempKey},
    },
    Change, needs_locks,
};

/// A KDF command, taken apart: tables 5-84 to 5-91.
struct Parts {
    algorithm: u8,
    source: u8,
    target: u8,
    source_slot: u8,
    target_slot: u8,
    details: u32,
}

const PRF: u8 = 0;
const AES: u8 = 1;
/// Places of keys; the source has the first four, the target all but that "upper" is 1 for both.
const TEMP_KEY: u8 = 0;
const UPPER: u8 = 1;
const SLOT: u8 = 2;
const ALTERNATE: u8 = 3;
const OUTPUT: u8 = 4;
const ENCRYPTED_OUTPUT: u8 = 5;

impl Parts {
    fn of(command: &Command) -> Self {
        let details = command.data.iter().take(4).rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        Self {
            algorithm: command.mode >> 5 & 0x03,
            source: command.mode & 0x03,
            target: command.mode >> 2 & 0x07,
            source_slot: (command.param2 & 0xff) as u8,
            target_slot: (command.param2 >> 8) as u8,
            details,
        }
    }

    fn is_long(&self) -> bool {
        self.algorithm == PRF && self.details & 0x100 != 0
    }
}

pub(crate) fn kdf(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    let parts = Parts::of(command);
    findings.illegal(command.mode & 0x80 != 0 || parts.algorithm == 3 || parts.target > 5);
    findings.illegal(command.data.len() < 4);
    let message = command.data.len().saturating_sub(4);
    match parts.algorithm {
        PRF => prf(&mut findings, &parts, message, state),
        AES => {
            findings.forbidden(!memory.is_kdf_aes_enabled());
            findings.length(message, 16);
            findings.wrong(parts.details & !3 != 0);
            findings.wrong(parts.details & 3 > 1 && !is_long_source(&parts, state));
            // Whether a slot of 36 bytes has blocks 2 and 3 is as for AES; a larger one is open.
            findings.silent(parts.details & 3 > 1 && parts.source == SLOT);
        }
        _ => hkdf(&mut findings, &parts, message, memory, state),
    }
    source(&mut findings, &parts, memory, state);
    target(&mut findings, &parts, memory, state);
    // Slots that are not used: "0x00" in the tables.
    findings.silent(parts.source != SLOT && parts.source_slot != 0);
    findings.silent(parts.target != SLOT && parts.target_slot != 0);
    let length = if parts.is_long() { 64 } else { 32 };
    findings.conclude(match parts.target {
        OUTPUT if memory.kdf_protection() != 0 => Answer::Data(vec![length, length + 32]),
        OUTPUT if parts.algorithm == AES => Answer::Data(vec![16, 32]),
        OUTPUT => Answer::data(length),
        ENCRYPTED_OUTPUT if parts.algorithm == AES => Answer::Data(vec![48, 64]),
        ENCRYPTED_OUTPUT => Answer::data(length + 32),
        _ => Answer::Done,
    })
}

fn is_long_source(parts: &Parts, state: &State) -> bool {
    parts.source == SLOT || parts.source == TEMP_KEY && state.temp_key.upper
}

/// Table 5-85.
fn prf(findings: &mut Findings, parts: &Parts, message: usize, state: &State) {
    let details = parts.details;
    findings.wrong(details & 0x00ff_f8fc != 0);
    findings.illegal(details & 0x400 != 0);
    let aead = details & 0x600 == 0x200;
    findings.wrong(aead && !parts.is_long());
    findings.silent(aead);
    findings.length(message, (details >> 24) as usize);
    findings.silent(details >> 24 > 127 || details >> 24 == 0);
    // Keys of 48 and 64 bytes need a source of that length.
    findings.wrong(details & 3 > 1 && !is_long_source(parts, state));
    findings.silent(details & 3 > 1 && parts.source == SLOT);
    findings.silent(parts.is_long() && !matches!(parts.target, TEMP_KEY | OUTPUT | ENCRYPTED_OUTPUT));
}

/// Table 5-91. DataLen is in bits 31 to 25 there; the vendor's tests have it in bits 31 to 24, as in table 5-85.
fn hkdf(findings: &mut Findings, parts: &Parts, message: usize, memory: &Memory, state: &State) {
    let details = parts.details;
    findings.wrong(details & 0x00ff_f0f8 != 0);
    findings.silent(details & 0x04 != 0);
    let length = (details >> 24) as usize;
    match details & 3 {
        0 => {
            let slot = (details >> 8 & 0x0f) as u8;
            findings.silent(memory.is_secret(slot) || length != 0 || message != 0);
        }
        1 => {
            findings.needs_temp_key(&state.temp_key);
            // "This combination is forbidden", "results are unpredictable".
            findings.silent(parts.source == TEMP_KEY || parts.target == TEMP_KEY);
            findings.silent(length != 0 || message != 0);
        }
        2 => {
            findings.silent(length != message);
            findings.silent(message == 0 || message > 127);
        }
        // "Disabled for the ATECC608A-TNGTLS."
        _ => findings.wrong(true),
    }
    findings.silent(details & 0x0f00 != 0 && details & 3 != 0);
}

fn source(findings: &mut Findings, parts: &Parts, memory: &Memory, state: &State) {
    match parts.source {
        TEMP_KEY => findings.needs_temp_key(&state.temp_key),
        UPPER => {
            findings.forbidden(!state.temp_key.upper);
            findings.needs_temp_key(&state.temp_key);
        }
        ALTERNATE => findings.forbidden(!state.alternate_key),
        _ => {
            findings.wrong(parts.source_slot > 15);
            let slot = parts.source_slot & 0x0f;
            // Of asymmetric keys, and of the type for each algorithm, the sheets tell nothing but that an AES
            // key serves KDF AES (TNGLORA table 2-7).
            findings.silent(memory.is_private(slot) || memory.is_public(slot));
            findings.silent((parts.algorithm == AES) != memory.is_aes(slot));
            findings.silent(memory.needs_random_nonce(slot) || memory.is_no_mac(slot));
        }
    }
}

fn target(findings: &mut Findings, parts: &Parts, memory: &Memory, state: &State) {
    match parts.target {
        // "Written to the upper 32-byte area of TempKey only if the lower 32-byte area is already valid."
        UPPER => findings.needs_temp_key(&state.temp_key),
        SLOT => {
            findings.wrong(parts.target_slot > 15);
            let slot = parts.target_slot & 0x0f;
            // "Writes by KDF command are (not) permitted" (TNGLORA tables 2-7 to 2-19), and none when locked.
            findings.forbidden(memory.is_slot_locked(slot) || memory.is_private(slot));
            findings.forbidden(!memory.is_public(slot) && !memory.pub_info(slot));
            findings.silent(memory.is_public(slot) || memory.writing(slot) != Writing::Always);
            findings.wrong(parts.is_long() && slot_size(slot) < 64);
        }
        OUTPUT => findings.silent(memory.kdf_protection() != 0),
        ENCRYPTED_OUTPUT => findings.forbidden(!memory.is_io_protection_enabled()),
        _ => {}
    }
}

/// "TempKey is never cleared by the KDF or AES commands" (section 3.1).
pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let parts = Parts::of(command);
    match parts.target {
        TEMP_KEY if parts.is_long() => vec![state.with_temp_key(TempKey::derived(true))],
        TEMP_KEY => state.with_lower(TempKey::derived(false)),
        UPPER => {
            let both = TempKey { upper: true, ..state.temp_key.clone() };
            vec![state.with_temp_key(both), state.with_temp_key(TempKey::derived(true))]
        }
        ALTERNATE => vec![State { alternate_key: true, ..state.clone() }],
        _ => vec![state.clone()],
    }
}

pub(crate) fn stored(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    let parts = Parts::of(command);
    if parts.target != SLOT {
        return Vec::new();
    }
    let start = slot_range(parts.target_slot & 0x0f).start;
    // TargetLen counts the "32-byte blocks to be placed in the target location".
    vec![Change::Anything(start..start + if parts.is_long() { 64 } else { 32 })]
}
