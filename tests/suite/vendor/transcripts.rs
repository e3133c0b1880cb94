//! What the vendor's library and our driver say to one chip for the same purpose.

mod driver;
mod recording;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    certificates::replica_with_template_3,
    library::{ask_recorded, hex},
};
use crate::support::{Chip, I2C_DEV, Message, give_i2c_dev, messages, program, record, run};

/// Word address of a command (data sheet, table 7-2).
const COMMAND: u8 = 0x03;
/// Opcodes.
const RANDOM: u8 = 0x1b;
const SELF_TEST: u8 = 0x77;
const DIGEST: [u8; 32] = [0x5a; 32];

/// What crossed the bus in one process.
struct Transcript(Vec<Message>);

impl Transcript {
    /// Of the vendor's library.
    fn of_calls<const N: usize>(socket: &Path, log: PathBuf, calls: [&str; N]) -> Self {
        ask_recorded(socket, &log, calls).iter().for_each(|answer| answer.succeeded());
        Self(messages(&log))
    }

    /// Of `atecc ARGUMENTS`, to which the chip is new: without a home there is no cache.
    fn of_atecc(socket: &Path, log: PathBuf, arguments: &[&str]) -> Self {
        let mut atecc = Command::new(program("atecc"));
        atecc.args(["--device", I2C_DEV]).args(arguments).env_remove("XDG_CACHE_HOME").env_remove("HOME");
        run(record(give_i2c_dev(&mut atecc, socket), &log)).succeeded();
        Self(messages(&log))
    }

    /// Count, opcode, parameters, data and checksum of each command, in order.
    fn commands(&self) -> Vec<String> {
        let sent = self.0.iter().filter(|message| !message.is_read && message.is_acknowledged);
        sent.filter_map(|message| message.bytes.strip_prefix(&[COMMAND])).map(hex).collect()
    }

    /// What the chip answered to the last command of `opcode`, where that was `length` bytes.
    fn answer_of(&self, opcode: u8, length: usize) -> Vec<u8> {
        let is_command =
            |message: &Message| matches!(message.bytes[..], [COMMAND, _, code, ..] if code == opcode);
        let sent = self.0.iter().rposition(|message| !message.is_read && is_command(message)).unwrap();
        // In one read or, its count first, in two. A read of a busy chip has no bytes.
        let reads = self.0[sent..].iter().filter(|message| message.is_read);
        let answer: Vec<u8> = reads.flat_map(|message| &message.bytes).copied().take(length + 1).collect();
        assert_eq!(usize::from(answer[0]), length + 3, "{answer:02x?}");
        answer[1..=length].to_vec()
    }

    /// The last command of `opcode` without count and checksum.
    fn body_of(&self, opcode: u8) -> String {
        let is_one = |body: &String| body.starts_with(&format!("x:{opcode:02x}"));
        self.bodies().rfind(is_one).unwrap_or_else(|| panic!("no command {opcode:#x}"))
    }

    /// All commands without count and checksum.
    fn bodies(&self) -> impl DoubleEndedIterator<Item = String> {
        self.commands().into_iter().map(|command| format!("x:{}", without_checksum(&command).split_off(2)))
    }

    /// The part that begins with the wake before the command `opcode`.
    fn since(mut self, opcode: u8) -> Self {
        let is_start = |message: &Message| {
            !message.is_read && matches!(message.bytes[..], [COMMAND, _, code, ..] if code == opcode)
        };
        let command = self.0.iter().position(is_start).unwrap();
        let wake = self.0[..command].iter().rposition(|message| message.address == 0).unwrap();
        self.0.drain(..wake);
        self
    }

    /// Pulses at address 0.
    fn wakes(&self) -> usize {
        self.0.iter().filter(|message| message.address == 0).count()
    }

    /// Transfers without the polls that met a busy chip: how many of those there are is a matter of luck and load.
    fn transactions(&self) -> usize {
        self.wakes() + self.0.iter().filter(|message| message.is_acknowledged).count()
    }

    fn figures(&self) -> String {
        let (commands, wakes) = (self.commands().len(), self.wakes());
        let transactions = self.transactions();
        let polls = self.0.len() - transactions;
        format!("{commands} commands, {wakes} wakes, {transactions} transactions, {polls} failed polls")
    }
}

/// Read of the configuration zone, words 8, 16 and 24, as commands.
const WORD_8: &str = "x:07028008000a4d";
const WORD_16: &str = "x:07028010000a1d";
const WORD_24: &str = "x:070280180009fd";

/// The vendor's library reads the whole configuration zone first; ours, but for `spared`, the same and sends then
/// the same.
#[track_caller]
fn assert_same_commands(arguments: &[&str], calls: [&str; 2], spared: &[&str]) {
    let chip = Chip::new();
    let bus = chip.serve();
    let theirs = Transcript::of_calls(&bus.socket, chip.path("theirs.log"), calls);
    let ours = Transcript::of_atecc(&bus.socket, chip.path("ours.log"), arguments);
    let mut needed = theirs.commands();
    needed.retain(|command| !spared.contains(&command.as_str()));
    assert_eq!(needed.len() + spared.len(), theirs.commands().len());
    assert_eq!(ours.commands(), needed);
}

/// Of the configuration zone ours reads what says which chip it is.
#[test]
fn a_random_number_takes_the_same_commands() {
    assert_same_commands(&["random", "32"], ["config", "random"], &[WORD_8, WORD_16, WORD_24]);
}

/// Ours reads also what says whether slot 0 holds a key, not the words that have no part in it.
#[test]
fn a_public_key_takes_the_same_commands() {
    assert_same_commands(&["pubkey"], ["config", "pubkey 0"], &[WORD_8, WORD_16]);
}

/// GenKey, byte for byte. In the same wake ours reads before it which chip it is, since a key is overwritten, and
/// renews the seed of the generator that the new key comes from.
#[test]
fn a_new_key_takes_the_same_command_behind_a_random_number() {
    let chip = Chip::new();
    let bus = chip.serve();
    let theirs = Transcript::of_calls(&bus.socket, chip.path("theirs.log"), ["random", "genkey 2"]);
    let ours = ["genkey", "2", "--yes-overwrite-slot", "2"];
    let ours = Transcript::of_atecc(&bus.socket, chip.path("ours.log"), &ours).since(RANDOM);
    let [which_chip, commands @ ..] = &ours.commands()[..] else { panic!("no commands") };
    assert_eq!(which_chip, "x:070280000009ad");
    assert_eq!(commands, theirs.commands());
    assert_eq!((ours.wakes(), theirs.wakes()), (1, 2));
}

/// Theirs is one command for all engines, 0x3b, in which the bit of ECDSA by the data sheet, 0x04, is missing.
/// Ours is one command for each engine, so that one that does not come back is known by name.
#[test]
fn the_self_test_takes_a_command_for_each_engine() {
    let chip = Chip::new();
    let bus = chip.serve();
    let modes = ["selftest 0x01", "selftest 0x04", "selftest 0x08", "selftest 0x10", "selftest 0x20"];
    let theirs = Transcript::of_calls(&bus.socket, chip.path("theirs.log"), modes);
    let ours = Transcript::of_atecc(&bus.socket, chip.path("ours.log"), &["selftest"]).since(SELF_TEST);
    assert_eq!(ours.commands(), theirs.commands());
}

/// Random, Nonce and Sign, byte for byte. Ours are in one wake, the vendor's in one each.
#[test]
fn a_signature_takes_the_same_commands_and_fewer_transactions() {
    let chip = Chip::new();
    let bus = chip.serve();
    let digest = hex(&DIGEST);
    let calls = [format!("sign 0 {digest}")];
    let theirs =
        Transcript::of_calls(&bus.socket, chip.path("theirs.log"), calls.each_ref().map(|call| &**call));
    let ours = Transcript::of_atecc(
        &bus.socket,
        chip.path("ours.log"),
        &["sign", "--digest", &digest[2..], "--format", "raw"],
    );
    // What comes before is the public key, with which the signature is verified before it is handed out.
    let (theirs, ours) = (theirs.since(RANDOM), ours.since(RANDOM));
    assert_eq!(ours.commands(), theirs.commands());
    assert_eq!(ours.commands().len(), 3);
    eprintln!("a signature, the vendor's library: {}", theirs.figures());
    eprintln!("a signature, ours:                 {}", ours.figures());
    assert_eq!(ours.wakes(), 1);
    assert!(ours.transactions() <= 10 && ours.transactions() < theirs.transactions());
}

/// Commands of which the two send different numbers for both certificates: the command without its checksum,
/// how often the vendor's library sends it, how often ours does, and why.
const CERTIFICATE_DIFFERENCES: [(&str, usize, usize, &str); 8] = [
    ("0702800800", 0, 1, "the rest of the configuration zone, of which we must know that it is locked"),
    ("0702801000", 0, 1, "the same"),
    ("0702801800", 0, 1, "the same"),
    ("0702810000", 2, 1, "the OTP code: theirs for each certificate, ours once"),
    ("0702825800", 2, 1, "the key of the signer: the same"),
    ("0702825801", 2, 1, "the same"),
    ("0702025802", 2, 1, "the same"),
    ("0702025902", 2, 1, "the same"),
];

#[test]
fn the_certificates_take_the_same_commands_but_for_known_reasons() {
    let replica = replica_with_template_3();
    let calls = ["device_certificate", "signer_certificate"];
    let theirs = Transcript::of_calls(&replica.socket, replica.path("theirs.log"), calls);
    let ours = Transcript::of_atecc(&replica.socket, replica.path("ours.log"), &["cert", "chain"]);
    eprintln!("both certificates, the vendor's library: {}", theirs.figures());
    eprintln!("both certificates, ours:                 {}", ours.figures());
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for command in theirs.commands() {
        counts.entry(without_checksum(&command)).or_default().0 += 1;
    }
    for command in ours.commands() {
        counts.entry(without_checksum(&command)).or_default().1 += 1;
    }
    counts.retain(|_, (theirs, ours)| theirs != ours);
    let explained =
        CERTIFICATE_DIFFERENCES.map(|(command, theirs, ours, _)| (command.to_owned(), (theirs, ours)));
    assert_eq!(counts, BTreeMap::from(explained));
}

fn without_checksum(command: &str) -> String {
    command["x:".len()..command.len() - 4].to_owned()
}
