//! The key that the certificate will be for, where that is the gateway's own.

use std::sync::Arc;

use identity::Key;

use super::Error;
use super::journal::Entry;
use crate::config::{Config, KeyOrigin, Provision, Subject};

/// What provisioning starts from.
pub(super) struct Start {
    /// The gateway's own key; `None`: the server makes one.
    pub(super) own: Option<Arc<Key>>,
    /// What placeholders stand for.
    pub(super) subject: Subject,
    /// What was begun, if it is for that key.
    pub(super) begun: Option<Entry>,
}

impl Start {
    /// Opens the key, or makes it.
    pub(super) fn new(
        config: &Config,
        settings: &Provision,
        device: Option<&str>,
        begun: Option<Entry>,
    ) -> Result<Self, Error> {
        let KeyOrigin::Own { new } = settings.key else {
            let begun = begun.filter(|entry| entry.identity(None).is_some());
            return Ok(Self { own: None, subject: Subject::default(), begun });
        };
        let (known, begun) = match begun {
            // A slot in which something was begun has a key.
            Some(entry) => {
                let key = Arc::new(config.open_key(device)?);
                let begun = entry.identity(Some(&key)).is_some().then_some(entry);
                (Some(key), begun)
            }
            None => (None, None),
        };
        let own = match (known, &begun, new) {
            (_, None, true) => new_key(config, device)?,
            (Some(known), ..) => known,
            (None, ..) => Arc::new(config.open_key(device)?),
        };
        Ok(Self { subject: Subject::of_key(&own), own: Some(own), begun })
    }
}

/// Makes a new key in the configured slot, if the administrator allows it there.
fn new_key(config: &Config, device: Option<&str>) -> Result<Arc<Key>, Error> {
    let slot = config.slot.ok_or(Error::NotConfigured)?;
    let token = config.open_token(device)?;
    token.generate_key_pair(slot).map_err(identity::Error::from).map_err(crate::key::Error::from)?;
    tracing::info!(%slot, "a new key was made in the chip");
    Ok(Arc::new(Key::of_slot(&token, slot).map_err(crate::key::Error::from)?))
}
