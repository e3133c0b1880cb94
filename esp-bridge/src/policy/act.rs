//! The list: what each opcode and mode does, and with which slot.

use atecc::{
    command::{
        AesEncrypt, CheckMac, Command, CounterRead, DeriveKey, Ecdh, GenDig, GenKeyPublic, InfoRevision, Kdf,
        LockSlot, Mac, NonceFixed, PrivWriteEncrypted, Random, Read, SecureBoot, SelfTest, ShaStart,
        SignExternal, UpdateExtra, VerifyExternal, Write,
    },
    packet::Packet,
};

use super::{KeySlots, SlotSet};

/// What one command does to the chip and its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It reads what is public, computes without a secret of the chip, or fills memory that sleep empties.
    Free,
    /// Its result depends on a secret of the chip.
    UsesKey {
        /// Where the secret is.
        slot: u8,
    },
    /// Something in the EEPROM is another afterwards.
    Changes {
        /// The slot that changes, if it is one.
        slot: Option<u8>,
        /// Whether no command brings the old state back.
        for_ever: bool,
    },
    /// The slot's rules do not give it for this use, or there is no such slot.
    NotThisKey {
        /// Param2 of the packet.
        slot: u16,
    },
    /// This opcode and mode is not known to be harmless.
    NotOnTheList,
}

/// KeyID that means TempKey, where a command takes a key from there.
const TEMP_KEY: u16 = 0xffff;

/// What `packet` does on a chip whose keys are `keys`.
///
/// The modes are those of the data sheet (sections 5.1 to 5.3) and, where that is silent, of the TFLXTLS data
/// sheet, DS40002138A. A mode with a bit that neither knows is not on the list.
pub fn act(packet: &Packet, keys: &KeySlots) -> Act {
    let mode = packet.param1();
    let key = packet.param2();
    match packet.opcode() {
        InfoRevision::OPCODE => free_if(matches!((mode, key), (0x00..=0x02, _) | (0x04, 0x0000))),
        Random::OPCODE => free_if(mode <= 0x01),
        // Random numbers, and fixed values of 32 or 64 bytes into one of the three buffers.
        NonceFixed::OPCODE => free_if(matches!(mode, 0x00 | 0x01 | 0x03 | 0x43 | 0x83 | 0x23 | 0x63)),
        // Bit 7: read 32 bytes; bits 1:0: the zone. The slots' own rules say what may be read.
        Read::OPCODE => free_if(mode & !0x83 == 0 && mode & 0x03 != 0x03),
        SelfTest::OPCODE => Act::Free,
        VerifyExternal::OPCODE => verify(mode, key),
        SignExternal::OPCODE => sign(mode, key, keys),
        GenKeyPublic::OPCODE => genkey(mode, key),
        Ecdh::OPCODE => ecdh(mode, key, keys),
        ShaStart::OPCODE => sha(mode, key),
        AesEncrypt::OPCODE => aes(mode, key),
        Kdf::OPCODE => kdf(mode, key),
        Mac::OPCODE | CheckMac::OPCODE => secret(key),
        GenDig::OPCODE => match mode {
            0x02 => secret(key),
            0x00 | 0x01 | 0x03..=0x05 => Act::Free,
            _ => Act::NotOnTheList,
        },
        CounterRead::OPCODE => match mode {
            0x00 => Act::Free,
            0x01 => Act::Changes { slot: None, for_ever: true },
            _ => Act::NotOnTheList,
        },
        Write::OPCODE => Act::Changes { slot: written(mode, key), for_ever: false },
        PrivWriteEncrypted::OPCODE | DeriveKey::OPCODE => Act::Changes { slot: slot(key), for_ever: false },
        SecureBoot::OPCODE => Act::Changes { slot: None, for_ever: false },
        LockSlot::OPCODE => Act::Changes {
            // Bits 1:0 of the mode: configuration, data, slot; bits 5:2: which slot.
            slot: (mode & 0x03 == 0x02).then_some(mode >> 2 & 0x0f),
            for_ever: true,
        },
        UpdateExtra::OPCODE => Act::Changes { slot: None, for_ever: true },
        _ => Act::NotOnTheList,
    }
}

/// Bit 7: a digest from outside, from TempKey or (bit 5) the Message Digest Buffer. Else one that the chip made.
fn sign(mode: u8, key: u16, keys: &KeySlots) -> Act {
    match mode {
        0x80 | 0xa0 => uses(key, keys.sign),
        // Bit 0 marks a message that invalidates a key; bit 6 includes the serial number.
        _ if mode & !0x61 == 0 => uses(key, keys.attest),
        _ => Act::NotOnTheList,
    }
}

/// Bits 2:0: with a stored key, one from outside, or to make a stored key valid or invalid.
fn verify(mode: u8, key: u16) -> Act {
    match mode & !0xa0 {
        0x00 | 0x02 => Act::Free,
        0x03 | 0x07 => Act::Changes { slot: slot(key), for_ever: false },
        _ => Act::NotOnTheList,
    }
}

/// Bit 2: a new private key. Bit 3: the public key's digest too. Bit 4: of a stored public key.
fn genkey(mode: u8, key: u16) -> Act {
    match mode {
        0x00 | 0x08 | 0x10 => Act::Free,
        0x04 if key == TEMP_KEY => Act::Free,
        0x04 | 0x0c => Act::Changes { slot: slot(key), for_ever: false },
        _ => Act::NotOnTheList,
    }
}

/// Bit 0: the key is in TempKey. Bits 3:2: where the result goes. Bit 1: encrypted.
fn ecdh(mode: u8, key: u16, keys: &KeySlots) -> Act {
    let from_temp_key = mode & 0x01 != 0;
    match mode & 0x0e {
        // To where the slot's own configuration says, which may be a slot.
        0x00 if from_temp_key => Act::NotOnTheList,
        0x00 if slot(key).is_some_and(|slot| keys.keeps_ecdh.contains(slot)) => {
            Act::Changes { slot: slot(key), for_ever: false }
        }
        0x00 => uses(key, keys.ecdh),
        0x04 => Act::Changes { slot: slot(key), for_ever: false },
        0x08 | 0x0c | 0x0e if from_temp_key => Act::Free,
        0x08 | 0x0c | 0x0e => uses(key, keys.ecdh),
        _ => Act::NotOnTheList,
    }
}

/// Bits 2:0: start, update, end, public key, start of an HMAC, read and write of the context. Bits 7:6: where the end
/// leaves the digest.
fn sha(mode: u8, key: u16) -> Act {
    match mode & !0xc0 {
        0x04 if key == TEMP_KEY => Act::Free,
        0x04 => secret(key),
        0x00..=0x03 | 0x06 | 0x07 => Act::Free,
        _ => Act::NotOnTheList,
    }
}

/// Bits 2:0: encrypt, decrypt, or a multiplication that takes no key. Bits 7:6: which 16 bytes of the slot are the key.
fn aes(mode: u8, key: u16) -> Act {
    match mode & !0xc0 {
        0x03 => Act::Free,
        0x00 | 0x01 if key == TEMP_KEY => Act::Free,
        0x00 | 0x01 => secret(key),
        _ => Act::NotOnTheList,
    }
}

/// Bits 1:0: where the key is, 2 for a slot. Bits 4:2: where the result goes, 2 for a slot. Bits 6:5: the
/// algorithm. The low byte of KeyID is the source slot, the high byte the target slot.
fn kdf(mode: u8, key: u16) -> Act {
    let [source, target] = key.to_le_bytes();
    match (mode & 0x03, mode >> 2 & 0x07) {
        _ if mode & 0x80 != 0 => Act::NotOnTheList,
        (_, 0x02) => Act::Changes { slot: slot(u16::from(target)), for_ever: false },
        (_, 0x06..) => Act::NotOnTheList,
        (0x02, _) => secret(u16::from(source)),
        _ => Act::Free,
    }
}

/// The slot that a Write reaches: zone 2 is data, and bits 6:3 of the address are the slot.
fn written(mode: u8, address: u16) -> Option<u8> {
    (mode & 0x03 == 0x02).then_some((address >> 3 & 0x0f) as u8)
}

fn free_if(known: bool) -> Act {
    if known { Act::Free } else { Act::NotOnTheList }
}

/// The use of an elliptic-curve key, if its slot is among `allowed`.
fn uses(key: u16, allowed: SlotSet) -> Act {
    match slot(key) {
        Some(slot) if allowed.contains(slot) => Act::UsesKey { slot },
        _ => Act::NotThisKey { slot: key },
    }
}

/// The use of a symmetric secret; which slot holds one that fits is for the chip to say.
fn secret(key: u16) -> Act {
    slot(key).map_or(Act::NotThisKey { slot: key }, |slot| Act::UsesKey { slot })
}

fn slot(key: u16) -> Option<u8> {
    u8::try_from(key).ok().filter(|&slot| slot < 16)
}
