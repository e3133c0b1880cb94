//! How a gateway that has no certificate yet gets one, by itself (`[provision]` in agent.toml).
//!
//! ```text
//! claim (shared, of a trusted user, or Krypton's) ──► CreateCertificateFromCsr ──► RegisterThing ──► certificate file
//!                                                     CreateKeysAndCertificate         │                  │
//!                                                             └── provision.json ──────┴── (each step) ───┘
//! ```
//!
//! With a key of its own the gateway sends a request that the key signs, and the key stays where it is. Each step is on
//! disk before the next begins, so whoever is interrupted goes on where it was: a certificate that was made and not used
//! stays ours for an hour. SORACOM Krypton can take the place of the claim, or of all of it.
//!
//! Just-in-time registration needs nothing of this: the gateway connects with the certificate in its chip, and is let in
//! when the server has registered it.

mod answer;
mod claim;
mod error;
mod files;
mod format;
mod grant;
mod journal;
pub mod krypton;
mod own;
mod place;
mod secret;
mod session;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use identity::Identity;

use crate::config::{Config, Way};
use crate::mqtt::Backoff;
use grant::Asking;
use journal::{Entry, Journal};
use own::Start;

pub use error::Error;
pub use journal::Record;

/// After this time a rotation that failed is tried again.
const RETRY_ROTATION: Duration = Duration::from_secs(3600);

/// Makes sure that the gateway has a certificate: provisions it if it has none, as often as it takes, and replaces one
/// that is due. `device` names a chip instead of the one in the configuration.
///
/// Without `[provision]` it does nothing.
///
/// # Errors
/// When somebody must change files or settings first; never because of the network or the service.
pub async fn ensure(config: &Config, device: Option<&str>) -> Result<(), Error> {
    let Some(settings) = &config.provision else { return Ok(()) };
    let is_there = settings.is_in_place(config);
    if is_there
        && !Journal::is_unfinished(&settings.folder)
        && until_rotation(config, device) != Some(Duration::ZERO)
    {
        return Ok(());
    }
    let mut backoff = Backoff::new(config.reconnect);
    loop {
        match provision(config, device, is_there).await {
            Ok(_) => return Ok(()),
            Err(error) if is_there => {
                tracing::warn!("not provisioned anew, so the certificate of before is used: {error}");
                return Ok(());
            }
            Err(error) if error.is_configuration() => return Err(error),
            Err(error) => {
                let wait = backoff.after(Duration::ZERO).max(config.reconnect.first);
                tracing::warn!(retry_in_ms = wait.as_millis(), "not provisioned: {error}");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Provisions the gateway, with one try. What it has already is left as it is, unless it shall be done `again`.
///
/// # Errors
/// Why there is no certificate. What was reached is kept, and the next call goes on from there.
pub async fn provision(config: &Config, device: Option<&str>, again: bool) -> Result<Record, Error> {
    let settings = config.provision.as_ref().ok_or(Error::NotConfigured)?;
    let journal = Journal::open(&settings.folder)?;
    let begun = journal.unfinished()?;
    if settings.is_in_place(config) && !again && begun.is_none() {
        let identity = config.open_identity(device)?;
        return Ok(journal::record_of(&settings.folder, &identity)
            .unwrap_or_else(|| Record::new(&identity, None, None)));
    }
    settings.check_place(config, begun.is_some())?;
    let Start { own, subject, begun } = Start::new(config, settings, device, begun)?;
    let granted = match (begun, &settings.way) {
        (Some(Entry::Registered(granted)), _) => granted,
        (begun, Way::Fleet(fleet)) => {
            let asking = Asking { config, fleet, journal: &journal, own: own.clone(), subject };
            asking.grant(begun.and_then(Entry::pending)).await?
        }
        (_, Way::Krypton(krypton)) => grant::by_krypton(krypton, config).await?,
    };
    place::put(config, &journal, granted, own.as_ref())
}

/// Gives the thing and the client the names that the service chose, where agent.toml leaves them open.
pub fn adopt_names(config: &mut Config, identity: &Identity) {
    let Some(settings) = &config.provision else { return };
    if let Some(record) = journal::record_of(&settings.folder, identity) {
        config.adopt(record.thing_name.as_deref(), record.client_id.as_deref());
    }
}

/// Ends when the key is to be replaced; without `rotate_days`, never.
pub async fn rotation_due(config: &Config, device: Option<&str>) {
    match until_rotation(config, device) {
        // It was tried before the agent started, and failed.
        Some(Duration::ZERO) => tokio::time::sleep(RETRY_ROTATION).await,
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn until_rotation(config: &Config, device: Option<&str>) -> Option<Duration> {
    let settings = config.provision.as_ref()?;
    let longest = settings.rotate?;
    let record = journal::record_of(&settings.folder, &config.open_identity(device).ok()?)?;
    // A clock that was put back makes nothing older.
    Some(longest.saturating_sub(Duration::from_secs(now().saturating_sub(record.since))))
}

impl Entry {
    fn pending(self) -> Option<journal::Pending> {
        match self {
            Self::Created(pending) => Some(pending),
            Self::Registered(_) => None,
        }
    }
}

impl Record {
    fn new(identity: &Identity, thing_name: Option<String>, client_id: Option<String>) -> Self {
        let certificate_id =
            identity.chain().first().map(|der| journal::certificate_id(der)).unwrap_or_default();
        Self { certificate_id, thing_name, client_id, since: now() }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
