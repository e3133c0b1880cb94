//! Nonce (section 5.1.4).

use super::super::{
    chip::Memory,
    command::Command,
    expectation::{Answer, Expectation, Findings},
    state::{Source, State, TempKey},
};

/// Param2 of a nonce from TempKey instead of the random number generator.
const FROM_TEMP_KEY: u16 = 0x8000;
const INPUT: u8 = 20;

pub(crate) fn nonce(command: &Command, _: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    // Before the configuration zone is locked there are no random numbers, but nonces are made of them.
    match command.mode {
        0x00 | 0x01 => {
            findings.length(command.data.len(), INPUT.into());
            match command.param2 {
                0x0000 => {}
                FROM_TEMP_KEY => findings.needs_temp_key(&state.temp_key),
                _ => findings.silent(true),
            }
            findings.conclude(Answer::data(32))
        }
        0x03 | 0x43 | 0x83 | 0x23 | 0x63 => {
            findings.length(command.data.len(), if command.mode & 0x20 != 0 { 64 } else { 32 });
            findings.silent(command.param2 != 0);
            findings.conclude(Answer::Done)
        }
        mode => {
            // Random nonces for other buffers, and the bits between, are in no table.
            findings.illegal(mode & 0x03 == 0x02 || mode & 0x03 == 0x03);
            findings.silent(true);
            findings.conclude(Answer::Data(vec![1, 32]))
        }
    }
}

pub(crate) fn after(command: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let length = if command.mode & 0x20 != 0 { 64 } else { 32 };
    match command.mode {
        0x00 | 0x01 => {
            let nonce = TempKey::of_nonce(Source::Random, false);
            let mut states = state.with_lower(nonce.clone());
            if command.param2 == FROM_TEMP_KEY && state.temp_key.no_mac {
                // A nonce made of a TempKey that MAC must not use: the flag is not mentioned.
                states.extend(state.with_lower(TempKey { no_mac: true, ..nonce }));
            }
            states
        }
        0x03 => state.with_lower(TempKey::of_nonce(Source::Input, false)),
        0x23 => vec![state.with_temp_key(TempKey::of_nonce(Source::Input, true))],
        0x43 | 0x63 => flagged(State { message_digest: length, ..state.clone() }),
        0x83 => flagged(State { alternate_key: true, ..state.clone() }),
        _ => vec![state.clone(), state.without_temp_key(), state.without_message_digest()],
    }
}

/// "SourceFlag is always set to input after this command", of whatever target (section 5.1.4.2); that
/// TempKey keeps "different information" meanwhile is the purpose of the other buffers (section 3.2).
fn flagged(state: State) -> Vec<State> {
    let flagged = TempKey { source: Source::Input, ..state.temp_key.clone() };
    vec![state.with_temp_key(flagged), state]
}
