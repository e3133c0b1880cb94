//! Where key and certificate go, so that the agent finds them.

use std::path::Path;
use std::sync::Arc;

use identity::{Key, KeySource};

use super::files::{self, PRIVATE, PUBLIC};
use super::journal::{self, Entry, Granted, Journal};
use super::{Error, Record};
use crate::config::{Config, KeyOrigin, Provision};

impl Provision {
    /// Where the certificate will be.
    fn place<'a>(&self, config: &'a Config) -> Option<&'a Path> {
        match (self.key, &config.key) {
            (KeyOrigin::Issued, Some(KeySource::File(file))) => Some(file),
            (KeyOrigin::Issued, _) => None,
            (KeyOrigin::Own { .. }, _) => config.certificate_file.as_deref(),
        }
    }

    pub(super) fn is_in_place(&self, config: &Config) -> bool {
        self.place(config).is_some_and(Path::exists)
    }

    /// Nobody's key is overwritten: what is issued goes where nothing is, or where the agent put it before.
    pub(super) fn check_place(&self, config: &Config, has_begun: bool) -> Result<(), Error> {
        match self.place(config) {
            Some(file) if self.key == KeyOrigin::Issued && file.exists() && !has_begun => {
                match config.open_identity(None) {
                    Ok(identity) if journal::record_of(&self.folder, &identity).is_some() => Ok(()),
                    _ => Err(Error::Taken { file: file.to_owned() }),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Writes down what was granted, and puts key and certificate where the agent looks for them.
pub(super) fn put(
    config: &Config,
    journal: &Journal,
    granted: Granted,
    own: Option<&Arc<Key>>,
) -> Result<Record, Error> {
    let entry = Entry::Registered(granted);
    journal.save(&entry)?;
    let Entry::Registered(granted) = entry else { return Err(Error::NotConfigured) };
    let identity = journal::identity(&granted.certificate, granted.private_key.as_ref(), own)
        .map_err(crate::key::Error::from)?;
    let record = Record::new(&identity, granted.thing_name, granted.client_id);
    if let Some(configuration) = &granted.configuration {
        let file = journal.configure(configuration)?;
        tracing::info!(file = %file.display(), entries = configuration.len(), "device configuration received");
    }
    journal.record(&record)?;
    let (file, text, mode) = match (&granted.private_key, &config.key, &config.certificate_file) {
        (Some(key), Some(KeySource::File(file)), _) => {
            (file, format!("{}\n{}", key.reveal().trim_end(), granted.certificate), PRIVATE)
        }
        (None, _, Some(file)) => (file, granted.certificate, PUBLIC),
        _ => return Err(Error::NotConfigured),
    };
    files::replace(file, text.as_bytes(), mode)
        .map_err(|source| Error::File { file: file.clone(), source })?;
    journal.clear()?;
    tracing::info!(file = %file.display(), certificate_id = record.certificate_id, thing = record.thing_name, "provisioned");
    Ok(record)
}
