//! SHA (section 5.1.8).

mod context;

use atecc::{Status, packet::Packet};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::context::Sha256Context;
use super::{
    Data,
    access::{require, slot, stored_coordinates, symmetric_key, use_key},
    answer, success,
    volatile::{DigestBuffer, TempKey},
};
use crate::memory::Memory;

/// KeyID of TempKey.
const TEMP_KEY: u16 = 0xffff;

/// A digest that is being computed.
#[derive(Clone)]
pub(super) enum Context {
    Sha256(Sha256Context),
    Hmac(Box<Hmac<Sha256>>),
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Sha256(_) => "Sha256",
            Self::Hmac(_) => "Hmac",
        })
    }
}

impl Context {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(context) => context.update(bytes),
            Self::Hmac(context) => context.update(bytes),
        }
    }

    fn finish(self) -> [u8; 32] {
        match self {
            Self::Sha256(context) => context.finish(),
            Self::Hmac(context) => context.finalize().into_bytes().into(),
        }
    }
}

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    match packet.param1() {
        0x00 if packet.param2() == 0 && packet.data().is_empty() => {
            memory.volatile.sha = Some(Context::Sha256(Sha256Context::default()));
            success()
        }
        0x01 if !packet.data().is_empty() => {
            running(memory)?.update(message(packet)?);
            success()
        }
        mode @ (0x02 | 0x42 | 0xc2) => end(packet, memory, mode),
        0x03 if packet.data().is_empty() => {
            let coordinates = stored_coordinates(memory, slot(packet.param2())?)?;
            running(memory)?.update(&coordinates);
            success()
        }
        0x04 if packet.data().is_empty() => {
            let key = key(packet.param2(), memory)?;
            let hmac = Hmac::new_from_slice(&key).map_err(|_| Status::ExecutionError)?;
            memory.volatile.sha = Some(Context::Hmac(Box::new(hmac)));
            success()
        }
        0x06 if packet.data().is_empty() => match running(memory)? {
            Context::Sha256(context) => answer(&context.to_bytes()),
            Context::Hmac(_) => Err(Status::ExecutionError),
        },
        0x07 if usize::from(packet.param2()) == packet.data().len() => {
            let context = Sha256Context::parse(packet.data()).ok_or(Status::ParseError)?;
            memory.volatile.sha = Some(Context::Sha256(context));
            success()
        }
        _ => Err(Status::ParseError),
    }
}

/// The context between Start and End.
fn running(memory: &mut Memory) -> Result<&mut Context, Status> {
    memory.volatile.sha.as_mut().ok_or(Status::ExecutionError)
}

/// Up to 64 bytes, as many as Param2 says.
fn message(packet: &Packet) -> Result<&[u8], Status> {
    let data = packet.data();
    let is_whole = data.len() <= 64 && usize::from(packet.param2()) == data.len();
    is_whole.then_some(data).ok_or(Status::ParseError)
}

/// The digest: always into the output buffer, and into TempKey or the Message Digest Buffer as bits 7:6 say.
fn end(packet: &Packet, memory: &mut Memory, mode: u8) -> Result<Data, Status> {
    let message = message(packet)?;
    running(memory)?.update(message);
    let digest = memory.volatile.sha.take().ok_or(Status::ExecutionError)?.finish();
    match mode {
        0x02 => memory.volatile.temp_key = Some(TempKey::new(&digest, true)),
        0x42 => {
            let mut value = [0; 64];
            value[..32].copy_from_slice(&digest);
            memory.volatile.message_digest_buffer = Some(DigestBuffer { value, is_64: false });
        }
        _ => {}
    }
    answer(&digest)
}

/// The key of an HMAC: the first 32 bytes of a slot, or TempKey.
fn key(number: u16, memory: &mut Memory) -> Result<[u8; 32], Status> {
    if number == TEMP_KEY {
        return memory.volatile.take_temp_key().map(|temp_key| temp_key.low());
    }
    let slot = slot(number)?;
    let rules = memory.rules(slot);
    require(!rules.is_marked_private() && !rules.is_public_key() && !rules.is_no_mac())?;
    let key = symmetric_key(memory, slot)?;
    use_key(memory, slot)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, hex, sha};
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_abc_goes_where_the_mode_says() {
        // FIPS 180-4.
        for mode in [0x02, 0x42, 0xc2] {
            let mut bench = Bench::blank();
            bench.ok(0x47, 0x00, 0, &[]);
            bench.ok(0x47, 0x01, 1, b"a");
            assert_eq!(bench.data(0x47, mode, 2, b"bc"), hex(ABC));
            let volatile = &bench.memory.volatile;
            assert_eq!(volatile.temp_key.is_some(), mode == 0x02);
            assert_eq!(volatile.message_digest_buffer.is_some(), mode == 0x42);
            assert_eq!(bench.status(0x47, mode, 0, &[]), Status::ExecutionError);
        }
    }

    #[test]
    fn messages_of_all_lengths_with_other_commands_between() {
        let message: Vec<u8> = (0..300_u16).map(|byte| byte as u8).collect();
        for length in [0, 1, 55, 56, 63, 64, 65, 119, 128, 300] {
            let mut bench = Bench::tng();
            bench.ok(0x47, 0x00, 0, &[]);
            for part in message[..length].chunks(37) {
                bench.ok(0x47, 0x01, part.len() as u16, part);
                bench.data(0x1b, 0x00, 0, &[]);
            }
            assert_eq!(bench.data(0x47, 0xc2, 0, &[]), sha(&[&message[..length]]), "{length} bytes");
        }
    }

    #[test]
    fn hmac_with_a_slot_and_with_temp_key() {
        // RFC 4231, test case 2; zeros behind a key do not change it.
        let key = [&b"Jefe"[..], &[0; 28]].concat();
        let message = b"what do ya want for nothing?";
        let expected = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let mut bench = Bench::tng();
        bench.fill(8, &key);
        bench.ok(0x47, 0x04, 8, &[]);
        assert_eq!(bench.data(0x47, 0xc2, 28, message), expected);
        bench.ok(0x16, 0x03, 0, &key);
        bench.ok(0x47, 0x04, 0xffff, &[]);
        // The context of an HMAC holds a key.
        assert_eq!(bench.status(0x47, 0x06, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.data(0x47, 0x02, 28, message), expected);
        // NoMac, and a private key.
        assert_eq!(bench.status(0x47, 0x04, 7, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x47, 0x04, 0, &[]), Status::ExecutionError);
    }

    #[test]
    fn a_context_leaves_and_comes_back() {
        for length in [0_usize, 1, 63, 64, 100] {
            let mut bench = Bench::tng();
            let message = vec![0x5a; length];
            bench.ok(0x47, 0x00, 0, &[]);
            message.chunks(64).for_each(|part| bench.ok(0x47, 0x01, part.len() as u16, part));
            let context = bench.data(0x47, 0x06, 0, &[]);
            // Section 5.1.8.3: 40 bytes and the low six bits of the first one.
            assert_eq!(context.len(), 40 + usize::from(context[0] & 0x3f));
            bench.ok(0x47, 0x00, 0, &[]);
            bench.ok(0x47, 0x07, context.len() as u16, &context);
            assert_eq!(bench.data(0x47, 0xc2, 3, b"end"), sha(&[&message, b"end"]), "{length} bytes");
        }
        let mut bench = Bench::tng();
        assert_eq!(bench.status(0x47, 0x07, 40, &[0x01; 40]), Status::ParseError);
    }

    #[test]
    fn a_stored_public_key_goes_in_without_its_padding() {
        let mut bench = Bench::tng();
        let content = bench.memory.eeprom().slot(slot(11).unwrap()).to_vec();
        bench.ok(0x47, 0x00, 0, &[]);
        bench.ok(0x47, 0x03, 11, &[]);
        assert_eq!(bench.data(0x47, 0xc2, 0, &[]), sha(&[&content[4..36], &content[40..]]));
    }
}
