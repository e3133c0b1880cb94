//! An entry as bytes.

use atecc::{
    Configuration, PublicKey, Slot,
    zone::{CONFIGURATION_ZONE, WriteAccess},
};
use sha2::{Digest, Sha256};

use crate::identity::{Layout, PIECE, Stored};

/// The first bytes; the digit is the version of the layout.
const MAGIC: &[u8; 16] = b"ATECC-CACHE-1\n\0\0";
const KEY: usize = 64;
const HINT: usize = 8;
const EUI: usize = 16;
const DIGEST: usize = 32;

/// What is kept of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The configuration zone. The locks of slots and the counters may be old.
    pub(crate) zone: [u8; CONFIGURATION_ZONE],
    /// The primary key.
    pub(crate) public_key: PublicKey,
    /// What the certificates are made of.
    pub(crate) stored: Stored,
}

impl Entry {
    /// Bytes of an entry: magic, zone, key, pieces, hint, layout, whether there is an EUI, the EUI, SHA-256.
    pub(crate) const SIZE: usize =
        MAGIC.len() + CONFIGURATION_ZONE + KEY + 3 * PIECE + HINT + 1 + 1 + EUI + DIGEST;

    /// Whether all of this stays as it is for ever: zones locked, no way to make or write another primary key
    /// (`primary` is its slot), or other certificates.
    pub(crate) fn is_permanent(&self, primary: Slot) -> bool {
        let configuration = Configuration::from_bytes(self.zone);
        let rules = configuration.slot_rules(primary).write_config();
        let is_fixed = |slot| {
            configuration.is_slot_locked(slot)
                || configuration.slot_rules(slot).write_config().writes() == WriteAccess::Never
        };
        configuration.is_configuration_locked()
            && configuration.is_data_locked()
            && !rules.allows_genkey()
            && !rules.allows_privwrite()
            && self.stored.layout.certificate_slots().into_iter().all(is_fixed)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Stored { layout, pieces, hint, eui } = &self.stored;
        let mut bytes = Vec::with_capacity(Self::SIZE);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.zone);
        bytes.extend_from_slice(self.public_key.as_bytes());
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        bytes.extend_from_slice(hint);
        bytes.push(match layout {
            Layout::Tls => 0,
            Layout::Lora => 1,
        });
        bytes.push(u8::from(eui.is_some()));
        bytes.extend_from_slice(&eui.unwrap_or_default());
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, digest) = bytes.split_last_chunk::<DIGEST>()?;
        if Sha256::digest(body).as_slice() != digest {
            return None;
        }
        let (zone, rest) = body.strip_prefix(MAGIC)?.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (signer_key, rest) = rest.split_first_chunk()?;
        let (signer, rest) = rest.split_first_chunk()?;
        let (hint, rest) = rest.split_first_chunk()?;
        let ([layout, has_eui], eui) = rest.split_first_chunk()?;
        let eui: [u8; EUI] = eui.try_into().ok()?;
        let stored = Stored {
            layout: match layout {
                0 => Layout::Tls,
                1 => Layout::Lora,
                _ => return None,
            },
            pieces: [*device, *signer_key, *signer],
            hint: *hint,
            eui: (*has_eui == 1).then_some(eui),
        };
        Some(Self { zone: *zone, public_key: PublicKey::from_bytes(*key), stored })
    }
}
