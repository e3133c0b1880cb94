//! SHA and HMAC (section 5.1.8).

use super::super::{
    chip::Memory,
    command::Command,
    expectation::{Answer, Expectation, Findings},
    state::{Sha, State, TempKey},
};

/// The HMAC key in TempKey.
const TEMP_KEY: u16 = 0xffff;

pub(crate) fn sha(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    let length = command.data.len();
    match command.mode {
        0x00 => {
            findings.silent(command.param2 != 0 || length != 0);
            findings.conclude(Answer::Done)
        }
        0x01 => {
            counted(&mut findings, command);
            findings.illegal(length > 64);
            findings.silent(length == 0);
            findings.forbidden(state.sha == Sha::None);
            findings.conclude(Answer::Done)
        }
        0x02 | 0x42 | 0xc2 => {
            counted(&mut findings, command);
            findings.illegal(length > 64);
            findings.forbidden(state.sha == Sha::None);
            findings.conclude(Answer::data(32))
        }
        0x04 => {
            findings.silent(length != 0);
            start_hmac(&mut findings, command, memory, state);
            findings.conclude(Answer::Done)
        }
        0x06 => {
            findings.silent(command.param2 != 0 || length != 0);
            // "Context switching can be used only in the SHA256 Digest mode."
            findings.forbidden(state.sha != Sha::Digest);
            findings.conclude(Answer::Data((40..=99 + 4).collect()))
        }
        0x07 => {
            counted(&mut findings, command);
            findings.illegal(length < 40);
            // What was not read from the chip before: not told.
            findings.silent(true);
            findings.conclude(Answer::Done)
        }
        mode => {
            // 0x03, 0x05 and 0x82 are used by other parts of the family.
            findings.illegal(!matches!(mode, 0x03 | 0x05 | 0x82));
            findings.silent(true);
            findings.conclude(Answer::Data(vec![1, 32]))
        }
    }
}

/// Param2 is the number of bytes. Fewer than announced are illegal, more may be ignored.
fn counted(findings: &mut Findings, command: &Command) {
    let announced = usize::from(command.param2);
    findings.illegal(command.data.len() < announced);
    findings.silent(command.data.len() > announced);
}

/// Section 5.1.8.2. Which types of slot may hold the key is not told but for symmetric ones.
fn start_hmac(findings: &mut Findings, command: &Command, memory: &Memory, state: &State) {
    if command.param2 == TEMP_KEY {
        findings.needs_temp_key(&state.temp_key);
        return;
    }
    let slot = super::slot(findings, command.param2);
    findings.silent(!memory.is_data_locked());
    findings.silent(memory.is_private(slot) || memory.is_public(slot) || memory.is_aes(slot));
    findings.silent(memory.is_no_mac(slot) || memory.needs_random_nonce(slot));
}

pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let with = |sha| State { sha, ..state.clone() };
    let ended = with(Sha::None);
    match command.mode {
        0x00 => vec![with(Sha::Digest)],
        0x01 | 0x06 => vec![state.clone()],
        0x02 => ended.with_lower(TempKey::derived(false)),
        0x42 => vec![State { message_digest: 32, ..ended }],
        0xc2 => vec![ended],
        // The key in TempKey is used now, or with each block.
        0x04 if command.param2 == TEMP_KEY => vec![with(Sha::Hmac), with(Sha::Hmac).without_temp_key()],
        0x04 => vec![with(Sha::Hmac)],
        0x07 => vec![with(Sha::Digest)],
        _ => vec![state.clone(), ended, with(Sha::Digest), with(Sha::Hmac)],
    }
}
