//! SecureBoot (TFLXTLS data sheet, section 5.2.3).

use atecc::{Slot, Status, packet::Packet};

use super::{
    Data,
    access::{header, is_same, require, sha256, use_key},
    answer, io_protection, success,
    verify::{is_signed, usable_key},
};
use crate::memory::Memory;

/// SecureBoot in the configuration zone.
const SECURE_BOOT: usize = 70;
/// Bit 7 of the mode: the digest comes in under a mask, and a MAC answers for the result.
const PROTECTED: u8 = 0x80;
/// Bit 6: no SecureBoot until the next power cycle.
const PROHIBIT: u8 = 0x40;

/// SecureBootMode, bits 1:0: what is kept between two boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// 1, FullBoth: nothing; digest and signature come in each time.
    Nothing,
    /// 2, FullSig: the signature.
    Signature,
    /// 3, FullDig: the digest.
    Digest,
}

/// The two bytes of the configuration.
#[derive(Clone, Copy, Debug)]
struct Settings {
    kept: Kept,
    sets_latch: bool,
    needs_random: bool,
    target: Slot,
    public_key: Slot,
}

impl Settings {
    /// The settings, if SecureBoot is enabled.
    fn of(memory: &Memory) -> Option<Self> {
        let configuration = memory.configuration();
        let bytes = configuration.as_bytes();
        let (low, high) = (bytes[SECURE_BOOT], bytes[SECURE_BOOT + 1]);
        Some(Self {
            kept: match low & 0x03 {
                0 => return None,
                1 => Kept::Nothing,
                2 => Kept::Signature,
                _ => Kept::Digest,
            },
            sets_latch: low & 0x04 != 0,
            needs_random: low & 0x08 != 0,
            target: Slot::new(high & 0x0f)?,
            public_key: Slot::new(high >> 4)?,
        })
    }
}

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let operation = mode & !(PROTECTED | PROHIBIT);
    let (digest, signature) = packet.data().split_first_chunk::<32>().ok_or(Status::ParseError)?;
    let signature = match operation {
        0x05 | 0x07 => Some(signature.try_into().map_err(|_| Status::ParseError)?),
        0x06 if signature.is_empty() => None,
        _ => return Err(Status::ParseError),
    };
    let settings = Settings::of(memory).ok_or(Status::ExecutionError)?;
    require(memory.configuration().is_data_locked() && !memory.latches.is_secure_boot_prohibited)?;
    require(operation == 0x05 || settings.kept != Kept::Nothing)?;

    let mask = if mode & PROTECTED != 0 { Some(mask(memory, settings)?) } else { None };
    let mut digest = *digest;
    if let Some(mask) = &mask {
        digest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    let signature = verified(memory, settings, &digest, signature)?;
    if operation == 0x07 {
        store(memory, settings, &digest, signature.as_ref())?;
    }
    if settings.sets_latch {
        memory.latches.persistent = true;
    }
    memory.latches.is_secure_boot_prohibited |= mode & PROHIBIT != 0;
    match mask {
        Some(mask) => {
            let signature = signature.as_ref().map_or(&[][..], |signature| &signature[..]);
            answer(&sha256(&[&mask, &digest, signature, &header(packet)]))
        }
        None => success(),
    }
}

/// The mask of the digest, which is the key of the MAC too: from the IO protection key and the nonce in TempKey.
fn mask(memory: &mut Memory, settings: Settings) -> Result<[u8; 32], Status> {
    let key = io_protection::key(memory)?;
    let nonce = memory.volatile.take_temp_key()?;
    require(!settings.needs_random || !nonce.is_input)?;
    Ok(sha256(&[&key, &nonce.low()]))
}

/// Checks the digest against the signature that came with it or the one that is kept, and gives it; or against
/// the digest that is kept.
fn verified(
    memory: &mut Memory,
    settings: Settings,
    digest: &[u8; 32],
    signature: Option<[u8; 64]>,
) -> Result<Option<[u8; 64]>, Status> {
    let kept = memory.eeprom().slot(settings.target);
    let (signature, is_right) = match (signature, settings.kept) {
        (None, Kept::Digest) => (None, kept.get(..32).is_some_and(|kept| is_same(kept, digest))),
        (sent, _) => {
            let signature = sent.or_else(|| kept.first_chunk().copied()).ok_or(Status::ExecutionError)?;
            let key = usable_key(memory, settings.public_key)?;
            use_key(memory, settings.public_key)?;
            (Some(signature), is_signed(&key, digest, &signature)?)
        }
    };
    if is_right { Ok(signature) } else { Err(Status::Miscompare) }
}

/// FullCopy: keeps the digest or the signature for FullStore.
fn store(
    memory: &mut Memory,
    settings: Settings,
    digest: &[u8; 32],
    signature: Option<&[u8; 64]>,
) -> Result<(), Status> {
    let rules = memory.rules(settings.target);
    require(!rules.is_marked_private() && !rules.is_slot_locked())?;
    match (settings.kept, signature) {
        (Kept::Digest, _) => memory.write_slot(settings.target, 0, digest),
        (Kept::Signature, Some(signature)) if settings.target.size() >= signature.len() => {
            memory.write_slot(settings.target, 0, signature);
        }
        _ => return Err(Status::ExecutionError),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    const DIGEST: [u8; 32] = [0x6b; 32];

    /// A part whose boot key is in slot 11, and a signature over the digest with it.
    fn bench(configuration: u8) -> (Bench, [u8; 64]) {
        let mut bench = Bench::configured(|zone| zone[SECURE_BOOT] = configuration);
        bench.fill(4, &[0x44; 32]);
        let key = bench.new_key(2);
        bench.fill_public_key(11, &key);
        let signature = bench.sign(2, &DIGEST);
        (bench, signature)
    }

    #[test]
    fn what_was_copied_is_compared_at_the_next_boot() {
        for kept in [2, 3] {
            let (mut bench, signature) = bench(kept);
            let both = [&DIGEST[..], &signature].concat();
            assert_eq!(bench.status(0x80, 0x06, 0, &DIGEST), Status::Miscompare);
            bench.ok(0x80, 0x05, 0, &both);
            bench.ok(0x80, 0x07, 0, &both);
            bench.ok(0x80, 0x06, 0, &DIGEST);
            assert_eq!(bench.status(0x80, 0x06, 0, &[0x6c; 32]), Status::Miscompare);
            let wrong = [&[0x6c; 32][..], &signature].concat();
            assert_eq!(bench.status(0x80, 0x07, 0, &wrong), Status::Miscompare);
        }
    }

    #[test]
    fn a_mac_answers_for_the_boot() {
        let (mut bench, signature) = bench(3);
        let nonce = bench.random_nonce();
        let mask = sha(&[&[0x44; 32], &nonce]);
        let masked: Vec<u8> = DIGEST.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        let mac = bench.data(0x80, 0x87, 0, &[&masked[..], &signature].concat());
        assert_eq!(mac, sha(&[&mask, &DIGEST, &signature, &[0x80, 0x87, 0, 0]]));

        let nonce = bench.random_nonce();
        let mask = sha(&[&[0x44; 32], &nonce]);
        let masked: Vec<u8> = DIGEST.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(bench.data(0x80, 0x86, 0, &masked), sha(&[&mask, &DIGEST, &[0x80, 0x86, 0, 0]]));
    }

    #[test]
    fn it_sets_the_latch_can_be_prohibited_and_disabled() {
        let (mut bench, signature) = bench(0x07);
        let both = [&DIGEST[..], &signature].concat();
        assert_eq!(bench.data(0x30, 0x04, 0, &[]), [0; 4]);
        bench.ok(0x80, 0x45, 0, &both);
        assert_eq!(bench.data(0x30, 0x04, 0, &[]), [1, 0, 0, 0]);
        assert_eq!(bench.status(0x80, 0x05, 0, &both), Status::ExecutionError);
        let (mut bench, signature) = self::bench(0x00);
        assert_eq!(bench.status(0x80, 0x05, 0, &[&DIGEST[..], &signature].concat()), Status::ExecutionError);
    }
}
