//! GenKey (section 5.2.2) and PrivWrite.

use super::{
    super::{
        chip::{Memory, slot_range},
        command::Command,
        expectation::{Answer, ECC, EXECUTION, Expectation, Findings},
        state::{Content, Source, State, TempKey},
    },
    Change, needs_locks, slot,
};

const CREATE: u8 = 0x04;
const DIGEST: u8 = 0x08;
const PUBLIC_DIGEST: u8 = 0x10;
/// The key in TempKey.
const TEMP_KEY: u16 = 0xffff;

pub(crate) fn gen_key(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    let mode = command.mode;
    // Bit 5 is used by other parts of the family; combinations with PUBLIC_DIGEST are in no table.
    findings.illegal(mode & 0xc3 != 0);
    findings.silent(mode & 0x20 != 0 || mode & PUBLIC_DIGEST != 0 && mode != PUBLIC_DIGEST);
    if mode & PUBLIC_DIGEST != 0 {
        public_digest(&mut findings, command, memory, state);
        return findings.conclude(Answer::Done);
    }
    if command.param2 == TEMP_KEY {
        findings.silent(mode != CREATE || !matches!(command.data.len(), 0 | 3));
        return findings.conclude(Answer::data(64));
    }
    let slot = slot(&mut findings, command.param2);
    findings.silent(!command.data.is_empty());
    // "Running this command on a non-ECC slot will result in an error."
    findings.wrong(!memory.is_private(slot));
    if mode & CREATE != 0 {
        findings.forbidden(!memory.is_creation_allowed(slot) || memory.is_slot_locked(slot));
    } else {
        findings.forbidden(!memory.pub_info(slot));
        let empty = memory.slot(slot).iter().all(|byte| *byte == 0);
        findings.refuse(memory.is_private(slot) && empty, &[ECC, EXECUTION]);
    }
    if mode & DIGEST != 0 {
        needs_nonce(&mut findings, memory, state, slot);
    }
    findings.conclude(Answer::data(64))
}

/// TempKey goes into the digest. "When using this key, a random nonce is always required" (table 2-6), and
/// external signatures of the same slots need none (section 5.2.3.2): what a fixed one does here is open.
fn needs_nonce(findings: &mut Findings, memory: &Memory, state: &State, slot: u8) {
    findings.needs_temp_key(&state.temp_key);
    let random = state.temp_key.content == Content::Nonce && state.temp_key.source == Source::Random;
    findings.silent(memory.needs_random_nonce(slot) && !random);
}

/// Section 5.2.2.4.
fn public_digest(findings: &mut Findings, command: &Command, memory: &Memory, state: &State) {
    let slot = slot(findings, command.param2);
    findings.wrong(!memory.is_public(slot));
    // The three bytes are needed; what happens without them is open.
    findings.silent(command.data.len() != 3);
    // Of a slot without a point of the curve the sheets do not tell.
    findings.silent(!memory.holds_good_key(slot));
    needs_nonce(findings, memory, state, slot);
}

pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let ephemeral = command.param2 == TEMP_KEY && command.mode & PUBLIC_DIGEST == 0;
    if ephemeral {
        return state.with_lower(TempKey { content: Content::PrivateKey, ..TempKey::derived(false) });
    }
    if command.mode & (DIGEST | PUBLIC_DIGEST) == 0 {
        return vec![state.clone()];
    }
    let key_id = (command.param2 & 0x0f) as u8;
    let digest = TempKey { gen_dig: false, gen_key: true, key_id, ..state.temp_key.clone() };
    let mut states = state.with_lower(digest.clone());
    if digest.no_mac {
        // Whether the flag survives a GenKey is not mentioned.
        states.extend(state.with_lower(TempKey { no_mac: false, ..digest }));
    }
    states
}

pub(crate) fn created(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    if command.mode & CREATE == 0 || command.param2 > 15 || command.mode & PUBLIC_DIGEST != 0 {
        return Vec::new();
    }
    vec![Change::Anything(slot_range((command.param2 & 0x0f) as u8))]
}

/// No sheet of these parts has PrivWrite, and none of their private keys has a WriteConfig that asks for an
/// encrypted write: it is always refused.
pub(crate) fn priv_write(command: &Command, memory: &Memory, _: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    findings.illegal(command.mode & !0x40 != 0 || command.data.len() < 68);
    let slot = slot(&mut findings, command.param2);
    let encrypted = memory.writing(slot) == super::super::chip::Writing::Encrypted;
    findings.forbidden(!memory.is_private(slot) || !encrypted);
    findings.silent(true);
    findings.conclude(Answer::Done)
}
