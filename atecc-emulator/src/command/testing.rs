//! What the tests of the commands share: a chip without its pins.

use atecc::{Configuration, Slot, Status, packet::Packet};
use sha2::{Digest, Sha256};

use super::execute;
use crate::{Eeprom, memory::Memory, provision};

/// SHA-256, without the help of the code under test.
pub(super) fn sha(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// Bytes from hexadecimal digits; blanks are skipped.
pub(super) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The configuration zone that the vendor's tests use, as a fact: it has a slot for every rule.
#[rustfmt::skip]
const TEST_PART: [u8; 128] = [
    0x01, 0x23, 0x11, 0x22, 0x00, 0x00, 0x60, 0x02, 0x33, 0x44, 0x55, 0x66, 0xee, 0x01, 0x01, 0x00,
    0xc0, 0x00, 0xa1, 0x00, 0xaf, 0x2f, 0xc4, 0x44, 0x87, 0x20, 0xc4, 0xf4, 0x8f, 0x0f, 0x0f, 0x0f,
    0x9f, 0x8f, 0x83, 0x64, 0xc4, 0x44, 0xc4, 0x64, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f,
    0x0f, 0x0f, 0x0f, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
    0x00, 0x00, 0x00, 0x00, 0xff, 0x84, 0x03, 0xbc, 0x09, 0x69, 0x76, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x0e, 0x40, 0x00, 0x00, 0x00, 0x00,
    0x33, 0x00, 0x1c, 0x00, 0x13, 0x00, 0x1c, 0x00, 0x3c, 0x00, 0x3a, 0x10, 0x1c, 0x00, 0x33, 0x00,
    0x1c, 0x00, 0x1c, 0x00, 0x38, 0x00, 0x30, 0x00, 0x3c, 0x00, 0x3c, 0x00, 0x32, 0x00, 0x30, 0x00,
];

/// A chip whose commands are called directly.
pub(super) struct Bench {
    pub(super) memory: Memory,
}

impl Bench {
    pub(super) fn tng() -> Self {
        Self::with(provision::tng_tls().unwrap())
    }

    pub(super) fn blank() -> Self {
        Self::with(provision::blank().unwrap())
    }

    /// A part with the configuration of the vendor's tests, locked.
    pub(super) fn test_part() -> Self {
        Self::configured(|_| {})
    }

    /// The same, with a change.
    pub(super) fn configured(change: impl FnOnce(&mut [u8; 128])) -> Self {
        let mut zone = TEST_PART;
        change(&mut zone);
        Self::with(Eeprom::new(&Configuration::from_bytes(zone)))
    }

    pub(super) fn with(eeprom: Eeprom) -> Self {
        Self { memory: Memory::new(eeprom, &[]) }
    }

    /// Writes into a slot past all rules.
    pub(super) fn fill(&mut self, slot: u8, bytes: &[u8]) {
        self.memory.write_slot(Slot::new(slot).unwrap(), 0, bytes);
    }

    /// The data of the answer; a status is one byte of it.
    pub(super) fn data(&mut self, opcode: u8, mode: u8, param2: u16, data: &[u8]) -> Vec<u8> {
        match execute(&Packet::new(opcode, mode, param2, &[data], 64), &mut self.memory) {
            Ok(response) => response.data().to_vec(),
            Err(status) => vec![status.code()],
        }
    }

    /// The status of the answer.
    pub(super) fn status(&mut self, opcode: u8, mode: u8, param2: u16, data: &[u8]) -> Status {
        match self.data(opcode, mode, param2, data)[..] {
            [code] => Status::from_code(code),
            ref data => panic!("{} bytes instead of a status", data.len()),
        }
    }

    /// A command that must succeed without data.
    pub(super) fn ok(&mut self, opcode: u8, mode: u8, param2: u16, data: &[u8]) {
        assert_eq!(self.status(opcode, mode, param2, data), Status::Success, "{opcode:02x} {mode:02x}");
    }

    /// Nonce in random mode; what TempKey then is, as a host computes it.
    pub(super) fn random_nonce(&mut self) -> [u8; 32] {
        let input = [0x21; 20];
        let output = self.data(0x16, 0x00, 0, &input);
        sha(&[&output, &input, &[0x16, 0x00, 0x00]])
    }

    /// Nonce in fixed mode, into TempKey.
    pub(super) fn fixed_nonce(&mut self, value: &[u8; 32]) {
        self.ok(0x16, 0x03, 0, value);
    }

    /// The digest of GenDig and its like, as a host computes it.
    pub(super) fn framed(&self, first: &[u8], header: [u8; 4], zeros: usize, last: &[u8]) -> [u8; 32] {
        let zone = self.memory.configuration();
        let zone = zone.as_bytes();
        sha(&[first, &header, &zone[12..13], &zone[..2], &vec![0; zeros], last])
    }

    /// A new private key in `slot`; its public key.
    pub(super) fn new_key(&mut self, slot: u16) -> [u8; 64] {
        self.data(0x40, 0x04, slot, &[]).try_into().unwrap()
    }

    /// What a key signs of a digest, through the Message Digest Buffer.
    pub(super) fn sign(&mut self, slot: u16, digest: &[u8; 32]) -> [u8; 64] {
        self.ok(0x16, 0x43, 0, digest);
        self.data(0x41, 0xa0, slot, &[]).try_into().unwrap()
    }

    /// Puts a public key into its slot as a host writes it.
    pub(super) fn fill_public_key(&mut self, slot: u8, key: &[u8; 64]) {
        let padded = [&[0; 4], &key[..32], &[0; 4], &key[32..]].concat();
        self.fill(slot, &padded);
    }
}
