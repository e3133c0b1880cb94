//! A token: the chip in a slot, opened, with its objects.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use atecc::{Digest, Slot};
use atecc_token::DeviceSpec;
use cryptoki_sys::CK_OBJECT_HANDLE;

use crate::{
    error::Error,
    log::Log,
    object::{Key, Object, Objects, SessionObjects},
    template::Template,
};

/// An open token.
pub(crate) struct Token {
    device: atecc_token::Token,
    objects: OnceLock<Objects>,
    session_objects: Mutex<SessionObjects>,
    log: Log,
}

impl Token {
    /// Opens the way to the chip.
    pub(crate) fn open(spec: &DeviceSpec, log: Log) -> Result<Self, Error> {
        let device = told(log, atecc_token::Token::open(spec))?;
        Ok(Self { device, objects: OnceLock::new(), session_objects: Mutex::default(), log })
    }

    /// What the token says about itself.
    pub(crate) fn device(&self) -> &atecc_token::Token {
        &self.device
    }

    /// The object with this handle: of the token, or of a session with it.
    pub(crate) fn object(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        match self.session_objects().get(handle) {
            Ok(object) => Ok(object),
            Err(_) => self.objects()?.get(handle),
        }
    }

    /// The key with this handle.
    pub(crate) fn key(&self, handle: CK_OBJECT_HANDLE) -> Result<Key, Error> {
        match self.object(handle) {
            Err(Error::ObjectHandleInvalid) => Err(Error::KeyHandleInvalid),
            object => object?.key(),
        }
    }

    /// The handles of all objects that match.
    pub(crate) fn find(&self, template: &Template<'_>) -> Result<Vec<CK_OBJECT_HANDLE>, Error> {
        Ok(self.objects()?.find(template).chain(self.session_objects().find(template)).collect())
    }

    /// The objects of the sessions with this token.
    pub(crate) fn session_objects(&self) -> MutexGuard<'_, SessionObjects> {
        self.session_objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects of the token; the chip is read the first time only.
    fn objects(&self) -> Result<&Objects, Error> {
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
