//! The private key that agent.toml names, opened.

use std::sync::Arc;

use atecc_token::{DeviceSpec, Token, default_device};
use identity::{Identity, Key, KeySource};

use crate::config::Config;

/// A key that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing says which chip is meant, or what does is not understood.
    #[error(transparent)]
    Device(atecc_token::Error),
    /// The key or its certificates cannot be used.
    #[error(transparent)]
    Key(#[from] identity::Error),
}

impl Error {
    /// Whether somebody must change files or settings first; otherwise it may help to try again.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Device(_) => true,
            Self::Key(error) => error.is_configuration(),
        }
    }
}

impl Config {
    /// Opens the key. `device` names a chip instead of the one in the configuration.
    ///
    /// # Errors
    /// When there is no such key, or it may not be used.
    pub fn open_key(&self, device: Option<&str>) -> Result<Key, Error> {
        match (device, &self.key, self.slot) {
            (None, Some(key), _) => Ok(Key::open(key)?),
            (_, _, None) => Ok(Key::open(&KeySource::Chip(self.chip(device)?))?),
            (_, _, Some(slot)) => Ok(Key::of_slot(&self.open_token(device)?, slot)?),
        }
    }

    /// Opens the key with its certificates.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn open_identity(&self, device: Option<&str>) -> Result<Identity, Error> {
        Ok(Identity::with_key(self.open_key(device)?, self.certificate_file.as_deref())?)
    }

    /// Opens the chip, with the administrator's rules about its slots.
    pub(crate) fn open_token(&self, device: Option<&str>) -> Result<Arc<Token>, Error> {
        let rules = atecc_token::Config::load().map_err(Error::Device)?.slots;
        let token = Token::open_with(&self.chip(device)?, &rules).map_err(identity::Error::from)?;
        Ok(Arc::new(token))
    }

    fn chip(&self, device: Option<&str>) -> Result<DeviceSpec, Error> {
        default_device(device.or(self.device.as_deref())).map_err(Error::Device)
    }
}
