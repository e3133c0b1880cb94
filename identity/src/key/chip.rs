//! A key of this project's chip.

use std::fmt;
use std::sync::Arc;

use atecc::{SerialNumber, Slot};
use atecc_token::Token;
use rustls::SignatureScheme;
use sha2::{Digest, Sha256};

use crate::{Error, Sign};

/// What stands before a point on P-256 in SubjectPublicKeyInfo (RFC 5480, section 2).
const P256_KEY_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

pub(super) struct ChipKey {
    token: Arc<Token>,
    slot: Slot,
}

impl ChipKey {
    /// The primary key with its SubjectPublicKeyInfo.
    pub(super) fn of(token: &Arc<Token>) -> Result<(Self, Vec<u8>), Error> {
        Self::in_slot(token, token.primary_key()?)
    }

    /// The key in `slot`.
    pub(super) fn in_slot(token: &Arc<Token>, slot: Slot) -> Result<(Self, Vec<u8>), Error> {
        let info = [&P256_KEY_INFO[..], &token.public_key(slot)?.to_sec1()].concat();
        Ok((Self { token: token.clone(), slot }, info))
    }
}

impl Sign for ChipKey {
    fn sign(&self, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = Sha256::digest(message);
        Ok(self.token.sign(self.slot, &digest.into())?.to_der().to_vec())
    }

    /// The signer travels too: AWS needs it when the signer, not the device, is what is registered there, and other
    /// servers need it to build the path to the root.
    fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        if self.slot != self.token.primary_key()? {
            return Ok(Vec::new());
        }
        let certificates = self.token.certificates().map_err(Error::ChipCertificates)?;
        Ok(vec![certificates.device.clone(), certificates.signer.clone()])
    }

    fn is_emulated(&self) -> bool {
        self.token.is_emulated()
    }

    fn is_present(&self) -> Option<Result<bool, Error>> {
        Some(self.token.presence().map_err(Error::from))
    }

    fn serial_number(&self) -> Option<SerialNumber> {
        Some(self.token.serial_number())
    }

    fn model(&self) -> String {
        self.token.model().to_owned()
    }
}

impl fmt::Display for ChipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the chip {}", self.token.serial_number())?;
        if self.slot == Slot::PRIMARY_KEY { Ok(()) } else { write!(f, ", slot {}", self.slot) }
    }
}
