//! A token: the chip in a slot, opened, with its objects.

use std::sync::OnceLock;

use atecc::{Digest, Slot};
use atecc_token::DeviceSpec;

use crate::{error::Error, log::Log, object::Objects};

/// An open token.
pub(crate) struct Token {
    device: atecc_token::Token,
    objects: OnceLock<Objects>,
    log: Log,
}

impl Token {
    /// Opens the way to the chip.
    pub(crate) fn open(spec: &DeviceSpec, log: Log) -> Result<Self, Error> {
        let device = told(log, atecc_token::Token::open(spec))?;
        Ok(Self { device, objects: OnceLock::new(), log })
    }

    /// What the token says about itself.
    pub(crate) fn device(&self) -> &atecc_token::Token {
        &self.device
    }

    /// The objects; the chip is read the first time only.
    pub(crate) fn objects(&self) -> Result<&Objects, Error> {
        if let Some(objects) = self.objects.get() {
            return Ok(objects);
        }
        let objects = Objects::of_token(&told(self.log, self.device.objects())?);
        Ok(self.objects.get_or_init(|| objects))
    }

    /// R and S of a signature over `digest`, by the chip.
    pub(crate) fn sign(&self, slot: Slot, digest: &Digest) -> Result<[u8; 64], Error> {
        told(self.log, self.device.sign(slot, digest)).map(|signature| *signature.as_bytes())
    }

    /// Fills `random` from the chip's generator.
    pub(crate) fn random(&self, random: &mut [u8]) -> Result<(), Error> {
        told(self.log, self.device.random(random))
    }
}

/// The sentence of an error goes to the log, since a return value has no room for it.
fn told<T>(log: Log, result: Result<T, atecc_token::Error>) -> Result<T, Error> {
    result.map_err(|error| {
        log.warn(&error);
        if error.is_absent() { Error::TokenNotPresent } else { Error::Device }
    })
}
