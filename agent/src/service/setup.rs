//! The configuration with everything that it leads to, and what it means that it has changed.

use std::path::{Path, PathBuf};

use atecc_agent::config::Config;
use atecc_agent::key;
use atecc_agent::provision;
use atecc_agent::supervisor::{self, Agent};
use identity::{Identity, KeySource};
use sha2::{Digest, Sha256};

use crate::Failure;

/// Where the configuration is, and what of the command line goes before it.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) device: Option<String>,
}

/// A configuration that was read, with the key and the files that it names.
#[derive(Clone)]
pub(super) struct Setup {
    /// As it was typed.
    pub(super) typed: Config,
    /// With the names that a provisioning service chose.
    pub(super) config: Config,
    pub(super) identity: Identity,
    /// What the files that it names contained.
    contents: [Option<[u8; 32]>; 3],
}

/// What a new configuration asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// Something that can change under a living connection.
    Live,
    /// Anything else.
    Link,
}

impl Source {
    pub(super) fn load(&self) -> Result<Config, Failure> {
        Config::load(&self.file).map_err(Failure::configuration)
    }

    /// Opens what the configuration names: the key, unless `known` has the same. Waits for the chip.
    pub(super) fn open(&self, typed: Config, known: Option<&Setup>) -> Result<Setup, Failure> {
        let key_file = match &typed.key {
            Some(KeySource::File(file)) => Some(file.as_path()),
            _ => None,
        };
        let contents =
            [Some(typed.ca_file.as_path()), typed.certificate_file.as_deref(), key_file].map(content);
        let identity = match known {
            // A chip in a file, or a token that counts its sessions, cannot be opened a second time.
            Some(known) if known.has_key_of(&typed) && known.contents[2] == contents[2] => {
                let key = known.identity.key().clone();
                Identity::with_key(key, typed.certificate_file.as_deref()).map_err(key::Error::from)?
            }
            _ => typed.open_identity(self.device.as_deref())?,
        };
        let mut config = typed.clone();
        provision::adopt_names(&mut config, &identity);
        let setup = Setup { typed, config, identity, contents };
        // Whether the names and the roots can be used.
        setup.agent()?;
        Ok(setup)
    }
}

impl Setup {
    /// An agent of it.
    pub(super) fn agent(&self) -> Result<Agent, supervisor::Error> {
        Agent::new(self.config.clone(), &self.identity)
    }

    pub(super) fn change_to(&self, new: &Self) -> Change {
        let mut live = self.config.clone();
        live.telemetry.clone_from(&new.config.telemetry);
        live.status.clone_from(&new.config.status);
        if live != new.config || self.contents != new.contents {
            Change::Link
        } else if self.config == new.config {
            Change::None
        } else {
            Change::Live
        }
    }

    fn has_key_of(&self, config: &Config) -> bool {
        let place = |config: &Config| (config.key.clone(), config.device.clone(), config.slot);
        place(&self.typed) == place(config)
    }
}

/// What a file contains, as far as it matters whether it is the same.
fn content(file: Option<&Path>) -> Option<[u8; 32]> {
    Some(Sha256::digest(std::fs::read(file?).ok()?).into())
}
