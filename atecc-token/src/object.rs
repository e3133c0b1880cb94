//! What a token shows: keys and certificates, as a list.

use atecc::{PublicKey, Slot};

/// A key or a certificate. Keys and certificate of one identity share their id.
#[derive(Clone, Debug)]
pub struct Object {
    /// `device` or `signer`, as in the vendor's module, so that existing URIs go on working.
    pub label: &'static str,
    /// The SHA-1 key identifier of the public key, 20 bytes (RFC 5280, section 4.2.1.2, method 1).
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
    },
    /// The public key of a private key in the chip.
    PublicKey {
        /// Where the private key is.
        slot: Slot,
        /// The key.
        public_key: PublicKey,
    },
    /// An X.509 certificate.
    Certificate {
        /// The certificate, DER.
        der: Vec<u8>,
    },
}
