//! What a token shows: keys, certificates, data and counters, as a list.

use std::borrow::Cow;

use atecc::{PublicKey, Slot, zone::CounterId};

/// A key, a certificate, or something else that the chip holds. Keys and certificate of one identity share their
/// id.
#[derive(Clone, Debug)]
pub struct Object {
    /// `device`, `signer` and `root`, as in the vendor's module, so that existing URIs go on working; `slot-N` for a
    /// key of another slot; or what a [`SlotRule`](crate::SlotRule) says.
    pub label: Cow<'static, str>,
    /// Of EC keys and certificates the SHA-1 key identifier of the public key, 20 bytes (RFC 5280, section
    /// 4.2.1.2, method 1). Else a few bytes that are unique among the objects of the same kind.
    pub id: Vec<u8>,
    /// What it is.
    pub kind: ObjectKind,
}

/// What an object is. Exhaustive on purpose: whoever shows objects must think of each kind.
#[derive(Clone, Debug)]
pub enum ObjectKind {
    /// A private key in the chip.
    PrivateKey {
        /// Where it is.
        slot: Slot,
        /// Its other half.
        public_key: PublicKey,
        /// What it may be used for.
        may: Uses,
    },
    /// The public key of a private key in the chip.
    PublicKey {
        /// Where the private key is.
        slot: Slot,
        /// The key.
        public_key: PublicKey,
    },
    /// A symmetric key in the chip. Whether one was ever written there cannot be seen.
    SecretKey {
        /// Where it is.
        slot: Slot,
        /// What it is for.
        algorithm: SecretAlgorithm,
    },
    /// An X.509 certificate.
    Certificate {
        /// The certificate, DER.
        der: Vec<u8>,
        /// Whose it is.
        role: CertificateRole,
    },
    /// Data that everybody may read; [`Token::read_data`](crate::Token::read_data) does.
    Data {
        /// Where it is. Its size is that of the slot.
        slot: Slot,
    },
    /// A monotonic counter; [`Token::counter`](crate::Token::counter) reads it.
    Counter {
        /// Which of the two.
        counter: CounterId,
    },
}

/// What a private key may be used for, as SlotConfig says. The chip may refuse more: ChipOptions may keep the results
/// of ECDH, and a locked slot its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// To sign digests of the caller.
    pub sign: bool,
    /// For ECDH whose result the caller gets.
    pub ecdh: bool,
    /// A new key may be made in its place, which destroys it: the chip allows it, and a rule of the configuration.
    pub overwrite: bool,
}

/// What a symmetric key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretAlgorithm {
    /// AES-128 in ECB mode, a block at a time.
    Aes128 {
        /// Which 16 bytes of the slot are the key, from 0.
        key_block: u8,
    },
    /// HMAC with SHA-256 and the first 32 bytes of the slot.
    HmacSha256,
}

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRole {
    /// That of the device key.
    Device,
    /// That of the key that signed the device's, which is stored in the chip too.
    Signer,
    /// The self-signed one above the signer, which the product carries and not the chip.
    Root,
}
