//! KeyConfig: what kind of key a slot holds and what its use depends on.
//!
//! Section 2.2 gives the values of each slot; the meaning of the single bits is that of the family, as the
//! vendor's driver names them.

use core::fmt;

use crate::Slot;

/// The two bytes of KeyConfig of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyConfig(u16);

impl KeyConfig {
    /// The properties with this value, low byte first on the chip.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The value.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Private, bit 0: the slot holds a private key of the curve.
    pub const fn private(self) -> bool {
        self.bit(0)
    }

    /// PubInfo, bit 1. Of a private key: its public key may be computed. Of a public key: it must be validated
    /// before use.
    pub const fn pub_info(self) -> bool {
        self.bit(1)
    }

    /// KeyType, bits 4:2.
    pub const fn key_type(self) -> KeyType {
        match self.0 >> 2 & 0x07 {
            4 => KeyType::P256,
            6 => KeyType::Aes,
            7 => KeyType::Data,
            other => KeyType::Reserved(other as u8),
        }
    }

    /// Lockable, bit 5: the slot can be locked by itself.
    pub const fn lockable(self) -> bool {
        self.bit(5)
    }

    /// ReqRandom, bit 6: where a command takes a nonce with this key, the chip's generator must have had a part
    /// in it. See [`Device::sign`](crate::Device::sign) for what it means to signatures.
    pub const fn req_random(self) -> bool {
        self.bit(6)
    }

    /// ReqAuth, bit 7: the key works only after CheckMac with AuthKey.
    pub const fn req_auth(self) -> bool {
        self.bit(7)
    }

    /// AuthKey, bits 11:8: the slot of the authorizing key.
    pub const fn auth_key(self) -> Slot {
        Slot::from_low_bits(self.0 >> 8)
    }

    /// PersistentDisable, bit 12: the key works only while the persistent latch is set.
    pub const fn persistent_disable(self) -> bool {
        self.bit(12)
    }

    /// X509id, bits 15:14: which byte of X509format its public key is checked against.
    pub const fn x509_id(self) -> u8 {
        (self.0 >> 14) as u8
    }

    const fn bit(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

impl fmt::Display for KeyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.key_type(), self.private()) {
            (KeyType::P256, true) => "P-256 private key",
            (KeyType::P256, false) => "P-256 public key",
            (KeyType::Aes, _) => "AES key",
            (KeyType::Data, _) => "secret or data",
            (KeyType::Reserved(_), _) => "reserved",
        })?;
        let public = matches!((self.key_type(), self.private()), (KeyType::P256, false));
        let properties = [
            (self.private() && !self.pub_info(), "public key kept"),
            (public && self.pub_info(), "to be validated"),
            (self.lockable(), "lockable"),
            (self.req_random(), "random nonce"),
            (self.persistent_disable(), "needs the latch"),
        ];
        for (_, text) in properties.iter().filter(|(holds, _)| *holds) {
            write!(f, "; {text}")?;
        }
        if self.req_auth() { write!(f, "; authorized by slot {}", self.auth_key()) } else { Ok(()) }
    }
}

/// What kind of value a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// 4: a key of the curve P-256.
    P256,
    /// 6: AES-128 keys.
    Aes,
    /// 7: a SHA-256 key, or any data.
    Data,
    /// Any other value.
    Reserved(u8),
}
