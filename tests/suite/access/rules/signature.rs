//! Sign and Verify (sections 5.2.3 and 5.2.4; TFLXTLS section 5.2.5.3).

use super::{
    super::{
        chip::{Memory, slot_range},
        command::Command,
        expectation::{Answer, ECC, EXECUTION, Expectation, Findings, MISCOMPARE, SUCCESS},
        state::{Source, State},
        vectors::is_good_key,
    },
    Change, needs_locks, slot,
};

const EXTERNAL: u8 = 0x80;
/// The message is in the Message Digest Buffer, of Sign and of Verify.
const MESSAGE_DIGEST: u8 = 0x20;
/// Param2 of Verify with an external key: the curve P-256.
const CURVE: u16 = 0x0004;

pub(crate) fn sign(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    let slot = slot(&mut findings, command.param2);
    let temp_key = &state.temp_key;
    findings.silent(!command.data.is_empty());
    findings.forbidden(!memory.is_private(slot));
    findings.illegal(command.mode & 0x0e != 0);
    // 0xD0 in table 5-49 is no bit that the text explains; bit 0 makes internal messages for invalidation.
    findings.silent(command.mode & 0x11 != 0);
    if command.mode & EXTERNAL != 0 {
        findings.forbidden(!memory.may_sign_external(slot));
        if command.mode & MESSAGE_DIGEST != 0 {
            findings.forbidden(state.message_digest == 0);
        } else {
            // "Via the Nonce command run in fixed mode": what a digest of another origin does is open.
            findings.needs_temp_key(temp_key);
            findings.silent(temp_key.source == Source::Random || temp_key.gen_dig || temp_key.gen_key);
        }
    } else {
        findings.forbidden(!memory.may_sign_internal(slot));
        // "The value in TempKey must be generated using either the GenDig or the GenKey command."
        findings.needs_temp_key(temp_key);
        findings.needs_flag(temp_key, temp_key.gen_dig || temp_key.gen_key);
        // "Random nonce is required" (table 2-5); see GenKey for why a fixed one is open.
        findings.silent(memory.needs_random_nonce(slot) && temp_key.source == Source::Input);
    }
    let empty = memory.slot(slot).iter().all(|byte| *byte == 0);
    findings.refuse(memory.is_private(slot) && empty, &[ECC, EXECUTION]);
    findings.conclude(Answer::data(64))
}

pub(crate) fn after_sign(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let external = command.mode & EXTERNAL != 0;
    vec![if external && command.mode & MESSAGE_DIGEST != 0 {
        // "It can only be used in a single command without reloading" (section 3.2).
        state.without_message_digest()
    } else {
        state.without_temp_key()
    }]
}

pub(crate) fn verify(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    needs_locks(&mut findings, memory);
    findings.illegal(command.mode & 0x58 != 0);
    let mac = command.mode & 0x80 != 0;
    let answer = match command.mode & 0x07 {
        0 => {
            stored(&mut findings, command, memory);
            message(&mut findings, command, state, mac, memory)
        }
        2 => {
            findings.wrong(command.param2 != CURVE);
            findings.length(command.data.len(), 128);
            let good = command.data.get(64..128).is_some_and(is_good_key);
            findings.refuse(!good, &[MISCOMPARE, ECC, EXECUTION]);
            message(&mut findings, command, state, mac, memory)
        }
        3 | 7 => {
            findings.silent(command.mode & 0xa0 != 0);
            validate(&mut findings, command, memory, state);
            Answer::Compared
        }
        _ => {
            findings.silent(true);
            Answer::Data(vec![1, 32])
        }
    };
    findings.conclude(answer)
}

/// Section 5.2.4.2. Vendor's tests: a key that is not validated is an execution error.
fn stored(findings: &mut Findings, command: &Command, memory: &Memory) {
    let slot = slot(findings, command.param2);
    findings.length(command.data.len(), 64);
    findings.forbidden(!memory.is_public(slot));
    findings.forbidden(memory.is_public(slot) && memory.pub_info(slot) && memory.validation(slot) != 0x5);
    findings.refuse(!memory.holds_good_key(slot), &[MISCOMPARE, ECC, EXECUTION]);
}

/// Where the message is and what the MAC needs. Tables 5-51 and 5-54 contradict each other in which of the MAC
/// modes takes the message from where: either may be meant.
fn message(findings: &mut Findings, command: &Command, state: &State, mac: bool, memory: &Memory) -> Answer {
    let buffer = command.mode & MESSAGE_DIGEST != 0;
    if !mac {
        if buffer {
            findings.forbidden(state.message_digest == 0);
        } else {
            findings.needs_temp_key(&state.temp_key);
        }
        return Answer::Compared;
    }
    findings.forbidden(!memory.is_io_protection_enabled());
    let from_buffer = state.message_digest == 64;
    let from_temp_key = state.temp_key.valid && state.message_digest >= 32;
    findings.forbidden(!from_buffer && !from_temp_key);
    findings.silent(!from_buffer || !from_temp_key);
    Answer::Data(vec![1, 32])
}

/// TFLXTLS section 5.2.5.3. The signatures here are never right, so that it ends with a mismatch at best.
fn validate(findings: &mut Findings, command: &Command, memory: &Memory, state: &State) {
    let slot = slot(findings, command.param2);
    findings.length(command.data.len(), 83);
    findings.forbidden(!memory.is_public(slot) || !memory.pub_info(slot));
    let temp_key = &state.temp_key;
    findings.needs_temp_key(temp_key);
    findings.needs_flag(temp_key, temp_key.gen_key && temp_key.key_id == slot);
    // The bit in OtherData has to match the mode "or an error will occur".
    let bit = command.data.get(81).map_or(0, |byte| byte & 1);
    findings.wrong(command.data.len() == 83 && (bit != 0) != (command.mode & 0x04 != 0));
    findings.refuse(true, &[MISCOMPARE, ECC, EXECUTION]);
}

pub(crate) fn after_verify(command: &Command, _: &Memory, state: &State, answer: &[u8]) -> Vec<State> {
    let mac = command.mode & 0x80 != 0;
    let buffer = command.mode & MESSAGE_DIGEST != 0;
    let used = match (mac, buffer) {
        (true, _) => vec![state.without_message_digest(), state.without_temp_key().without_message_digest()],
        (false, true) => vec![state.without_message_digest()],
        (false, false) => vec![state.without_temp_key()],
    };
    if answer == [SUCCESS] || answer.len() > 1 {
        return used;
    }
    // A mismatch: executed, but ended with an error.
    used.into_iter().chain([state.clone()]).collect()
}

/// Bits \[7:4\] of the slot's first byte (table 5-70).
pub(crate) fn validated(command: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    let start = slot_range((command.param2 & 0x0f) as u8).start;
    if command.mode & 0x03 == 3 { vec![Change::Anything(start..start + 1)] } else { Vec::new() }
}
