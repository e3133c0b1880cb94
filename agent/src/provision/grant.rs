//! Getting a certificate granted: over MQTT with a claim, or by Krypton alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use identity::{Identity, Key};
use tokio::time::timeout_at;

use super::claim::{self, Claim};
use super::journal::{self, Entry, Granted, Journal, Pending};
use super::secret::Secret;
use super::session::{Session, Wanted};
use super::{Error, krypton};
use crate::config::{self, Config, Fleet, Subject};
use crate::mqtt::{Event, Link};

/// How long the server may take to tell whether it knows a certificate.
const TRIAL_LIMIT: Duration = Duration::from_secs(60);

/// Fleet provisioning for one gateway.
pub(super) struct Asking<'a> {
    pub(super) config: &'a Config,
    pub(super) fleet: &'a Fleet,
    pub(super) journal: &'a Journal,
    /// The gateway's own key; `None`: the server makes one.
    pub(super) own: Option<Arc<Key>>,
    /// What placeholders stand for.
    pub(super) subject: Subject,
}

impl Asking<'_> {
    /// Goes on with what was begun, or begins.
    pub(super) async fn grant(&self, begun: Option<Pending>) -> Result<Granted, Error> {
        if let Some(pending) = &begun
            && pending.asked
            && self.is_known(pending).await?
        {
            tracing::info!("the certificate of an earlier attempt is active already");
            return Ok(Granted::of(pending, None, None));
        }
        let fleet = self.fleet;
        let name = self.name();
        let request = self.own.as_ref().map(|key| key.certificate_request(&name)).transpose();
        let request = request.map_err(crate::key::Error::from)?;
        let wanted = request.as_deref().map_or(Wanted::WithKey, Wanted::FromRequest);
        let parameters = self.parameters()?;
        let claim = Claim::obtain(&fleet.claim, &fleet.template, self.config).await?;
        let mut session =
            Session::open(self.config, &claim, &name, &fleet.template, fleet.format, wanted).await?;
        let granted = self.grant_in(&mut session, wanted, &parameters, begun).await;
        session.close().await;
        granted
    }

    async fn grant_in(
        &self,
        session: &mut Session,
        wanted: Wanted<'_>,
        parameters: &BTreeMap<String, String>,
        begun: Option<Pending>,
    ) -> Result<Granted, Error> {
        if let Some(pending) = begun {
            match self.register(session, pending, parameters).await {
                Err(error) if error.is_about_token() => {
                    tracing::info!("the certificate of an earlier attempt has expired; asking for a new one");
                    self.journal.clear()?;
                }
                result => return result,
            }
        }
        let created = session.create(wanted).await?;
        let pending = Pending {
            certificate: created.certificate_pem,
            private_key: created.private_key,
            token: created.certificate_ownership_token,
            asked: false,
        };
        journal::identity(&pending.certificate, pending.private_key.as_ref(), self.own.as_ref())
            .map_err(|error| Error::Answer { call: "the certificate request", problem: error.to_string() })?;
        tracing::info!(certificate_id = created.certificate_id, "certificate created");
        if pending.private_key.is_some() {
            tracing::warn!(
                "the server made the private key, so it crossed the wire and can be copied; a key in a chip cannot"
            );
        }
        self.register(session, pending, parameters).await
    }

    async fn register(
        &self,
        session: &mut Session,
        mut pending: Pending,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Granted, Error> {
        // Before it is sent: afterwards nobody may be there to write it down.
        pending.asked = true;
        let entry = Entry::Created(pending);
        self.journal.save(&entry)?;
        let Entry::Created(pending) = entry else { return Err(Error::NotConfigured) };
        let told = session.register(&self.fleet.template, &pending.token, parameters).await?;
        Ok(Granted::of(&pending, told.thing_name, told.device_configuration))
    }

    /// Whether the server lets the certificate in: RegisterThing was done, and its answer was lost.
    async fn is_known(&self, pending: &Pending) -> Result<bool, Error> {
        let identity =
            journal::identity(&pending.certificate, pending.private_key.as_ref(), self.own.as_ref());
        let identity = identity.map_err(crate::key::Error::from)?;
        let names = self.config.names(&Subject::of(&identity));
        let client_id = names.map_or_else(|_| self.name(), |names| names.client_id);
        let connector = self.config.connector(&identity, self.config.tls)?;
        let (link, mut events) = Link::start(self.config.link_options(&client_id), connector)?;
        let first = timeout_at((Instant::now() + TRIAL_LIMIT).into(), events.next()).await;
        // What fails here is only the courtesy.
        let _ = link.shutdown(Duration::ZERO).await;
        Ok(matches!(first, Ok(Some(Event::Connected { .. }))))
    }

    /// The common name in the request, and the client id with the claim.
    fn name(&self) -> String {
        let key = || self.own.as_ref().map(|key| journal::certificate_id(key.public_key_info()));
        self.subject.common_name.clone().or_else(|| self.subject.serial.clone()).unwrap_or_else(|| {
            let unique = key().unwrap_or_else(|| format!("{:016x}", getrandom::u64().unwrap_or_default()));
            format!("gateway-{}", unique.get(..16).unwrap_or_default())
        })
    }

    fn parameters(&self) -> Result<BTreeMap<String, String>, config::Error> {
        let parameters = self.fleet.parameters.iter();
        parameters
            .map(|(name, template)| {
                Ok((name.clone(), self.subject.fill("[provision.parameters]", template)?))
            })
            .collect()
    }
}

/// Krypton's key and certificate, which are complete as they come.
pub(super) async fn by_krypton(settings: &config::Krypton, config: &Config) -> Result<Granted, Error> {
    let told = krypton::bootstrap(settings.clone()).await?;
    claim::check_host(&told, config)?;
    let private_key = Some(told.private_key);
    let identity: Result<Identity, _> = journal::identity(&told.certificate, private_key.as_ref(), None);
    identity.map_err(|error| Error::Answer { call: "Krypton's bootstrap", problem: error.to_string() })?;
    tracing::warn!(
        "Krypton made the private key, so it crossed the wire and can be copied; a key in a chip cannot"
    );
    let (certificate, client_id) = (told.certificate, told.client_id);
    Ok(Granted { certificate, private_key, thing_name: None, client_id, configuration: None })
}

impl Granted {
    fn of(
        pending: &Pending,
        thing_name: Option<String>,
        configuration: Option<BTreeMap<String, serde_json::Value>>,
    ) -> Self {
        let private_key: Option<Secret> = pending.private_key.clone();
        Self {
            certificate: pending.certificate.clone(),
            private_key,
            thing_name,
            client_id: None,
            configuration,
        }
    }
}
