//! The access rules: per opcode what is expected in a state, what follows, and what changes in the EEPROM.
//!
//! From the data sheets of the pre-configured parts: TNGTLS (DS40002112B; sections without a name are its),
//! TFLXTLS (DS40002138A) and TNGLORA (DS40002154A). Slots that one sheet calls reserved have configuration words that another
//! one explains; the words decide. Where a case is called a fact of the vendor's tests, the library's test
//! suite expects it of the chip.

mod agreement;
mod boot;
mod derivation;
mod digest;
mod kdf;
mod key;
mod mac;
mod memory;
mod nonce;
mod sha;
mod signature;
mod simple;

use std::ops::Range;

use super::{
    chip::Memory,
    command::Command,
    expectation::{Answer, Expectation, Findings},
    state::{State, distinct},
};

/// A change of the EEPROM that an allowed command makes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// These bytes, from this position on.
    Exactly(usize, Vec<u8>),
    /// Anything, in this range.
    Anything(Range<usize>),
}

/// The rules of one command.
struct Rules {
    expect: fn(&Command, &Memory, &State) -> Expectation,
    /// The states that the chip may be in after the command was allowed and answered with these bytes.
    after: fn(&Command, &Memory, &State, &[u8]) -> Vec<State>,
    changes: fn(&Command, &Memory, &[u8]) -> Vec<Change>,
}

/// Opcodes (tables 5-1, 5-34 and those of section 5.3), each with its rules.
const ALL: [(u8, &str, Rules); 22] = [
    (0x02, "Read", Rules { expect: memory::read, after: memory::after_read, changes: none }),
    (0x08, "MAC", Rules { expect: mac::mac, after: mac::after_mac, changes: none }),
    (0x12, "Write", Rules { expect: memory::write, after: memory::after_write, changes: memory::written }),
    (0x15, "GenDig", Rules { expect: digest::gen_dig, after: digest::after, changes: none }),
    (0x16, "Nonce", Rules { expect: nonce::nonce, after: nonce::after, changes: none }),
    (0x17, "Lock", Rules { expect: simple::lock, after: same, changes: simple::locked }),
    (0x1b, "Random", Rules { expect: simple::random, after: same, changes: none }),
    (
        0x1c,
        "DeriveKey",
        Rules { expect: derivation::derive_key, after: uses_temp_key, changes: derivation::derived },
    ),
    (0x20, "UpdateExtra", Rules { expect: simple::update_extra, after: same, changes: simple::updated }),
    (0x24, "Counter", Rules { expect: simple::counter, after: same, changes: simple::counted }),
    (0x28, "CheckMac", Rules { expect: mac::check_mac, after: mac::after_check_mac, changes: none }),
    (0x30, "Info", Rules { expect: simple::info, after: same, changes: none }),
    (0x40, "GenKey", Rules { expect: key::gen_key, after: key::after, changes: key::created }),
    (0x41, "Sign", Rules { expect: signature::sign, after: signature::after_sign, changes: none }),
    (0x43, "ECDH", Rules { expect: agreement::ecdh, after: agreement::after, changes: agreement::stored }),
    (
        0x45,
        "Verify",
        Rules { expect: signature::verify, after: signature::after_verify, changes: signature::validated },
    ),
    (0x46, "PrivWrite", Rules { expect: key::priv_write, after: uses_temp_key, changes: none }),
    (0x47, "SHA", Rules { expect: sha::sha, after: sha::after, changes: none }),
    (0x51, "AES", Rules { expect: derivation::aes, after: same, changes: none }),
    (0x56, "KDF", Rules { expect: kdf::kdf, after: kdf::after, changes: kdf::stored }),
    (0x77, "SelfTest", Rules { expect: simple::self_test, after: same, changes: none }),
    (0x80, "SecureBoot", Rules { expect: boot::secure_boot, after: boot::after, changes: boot::stored }),
];

/// What the sources say about `command` in `state`.
pub(crate) fn expected(command: &Command, memory: &Memory, state: &State) -> Expectation {
    match rules(command.opcode) {
        Some(rules) => (rules.expect)(command, memory, state),
        None => {
            let mut findings = Findings::default();
            findings.illegal(true);
            findings.conclude(Answer::Done)
        }
    }
}

/// The states that follow an allowed command.
pub(crate) fn after_allowed(command: &Command, memory: &Memory, state: &State, answer: &[u8]) -> Vec<State> {
    let states =
        rules(command.opcode).map_or_else(Vec::new, |rules| (rules.after)(command, memory, state, answer));
    distinct(states.into_iter().flat_map(|state| forget_message_digest(command, state)).collect())
}

/// The states that follow a refused command: "TempKey may or may not be cleared" (section 3.1), and the SHA
/// context is retained "in most cases" (section 5.1.8).
pub(crate) fn after_refused(command: &Command, state: &State) -> Vec<State> {
    let mut states = vec![state.clone()];
    if may_use_temp_key(command) {
        states.push(state.without_temp_key());
    }
    if command.opcode == 0x47 {
        states.push(State { sha: Default::default(), ..state.clone() });
        states.push(State { sha: Default::default(), ..state.without_temp_key() });
    }
    if may_use_message_digest(command) {
        states.extend(states.clone().iter().map(State::without_message_digest));
    }
    distinct(states.into_iter().flat_map(|state| forget_message_digest(command, state)).collect())
}

/// How the EEPROM changes when `command` was allowed.
pub(crate) fn changes(command: &Command, memory: &Memory, answer: &[u8]) -> Vec<Change> {
    let mut changes =
        rules(command.opcode).map_or_else(Vec::new, |rules| (rules.changes)(command, memory, answer));
    // Which commands count the uses of a key, and when, is not in the sheets: their parts have no such key.
    if (0..16).any(|slot| memory.is_limited(slot)) {
        changes.push(Change::Anything(52..60));
    }
    changes
}

/// The command's name.
pub(crate) fn name(opcode: u8) -> &'static str {
    ALL.iter().find(|(code, ..)| *code == opcode).map_or("unknown", |(_, name, _)| name)
}

fn rules(opcode: u8) -> Option<&'static Rules> {
    ALL.iter().find(|(code, ..)| *code == opcode).map(|(.., rules)| rules)
}

/// The Message Digest Buffer "is generally cleared after the execution of most commands with the exception of
/// the Nonce and SHA commands" (section 3.2): after the others it may be there or not.
fn forget_message_digest(command: &Command, state: State) -> Vec<State> {
    match command.opcode {
        0x16 | 0x47 => vec![state],
        _ => vec![state.without_message_digest(), state],
    }
}

/// Commands that never use TempKey, and therefore never clear it (section 3.1).
fn may_use_temp_key(command: &Command) -> bool {
    let clear_read = command.opcode == 0x02 && command.mode & 0x83 != 0x82;
    let never = matches!(command.opcode, 0x17 | 0x1b | 0x20 | 0x24 | 0x30 | 0x51 | 0x56 | 0x77);
    rules(command.opcode).is_some() && !clear_read && !never
}

fn may_use_message_digest(command: &Command) -> bool {
    matches!(command.opcode, 0x16 | 0x41 | 0x45 | 0x47)
}

fn none(_: &Command, _: &Memory, _: &[u8]) -> Vec<Change> {
    Vec::new()
}

fn same(_: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    vec![state.clone()]
}

fn uses_temp_key(_: &Command, _: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    vec![state.without_temp_key()]
}

/// The slot that Param2 names; beyond 15 there is none, which is an error.
fn slot(findings: &mut Findings, param2: u16) -> u8 {
    findings.wrong(param2 > 15);
    (param2 & 0x0f) as u8
}

/// What uses keys works once both zones are locked; of a part that is not, the sheets of these parts say
/// nothing.
fn needs_locks(findings: &mut Findings, memory: &Memory) {
    findings.silent(!memory.is_configuration_locked() || !memory.is_data_locked());
}
