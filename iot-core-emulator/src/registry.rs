//! The registry: certificates, things, policies, shadows; authorities and provisioning templates in files of their own.

mod authorities;
mod claims;
mod provisioned;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Instant, SystemTime};

use serde_json::Value;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::issuer::Issuer;
use crate::policy::{self, Policy, Principal};
use crate::shadow::{Shadows, topic};
use crate::template::Template;
use crate::{Action, CertificateId, Error, Status, certificate, lock};

pub use authorities::CaCertificate;
pub(crate) use authorities::CaRecord;
pub use claims::ProvisioningClaim;

/// What the account knows, as the control API of AWS IoT Core would change it.
///
/// Changes count at once. A certificate that is switched off cuts its live connections.
#[derive(Debug)]
pub struct Registry {
    arn_prefix: String,
    clock: Clock,
    issuer: Arc<Issuer>,
    records: Mutex<Records>,
    /// Counts changes, to wake the connections that must look again.
    changes: watch::Sender<u64>,
    pub(crate) shadows: Shadows,
}

#[derive(Debug, Default)]
struct Records {
    certificates: HashMap<CertificateId, CertificateRecord>,
    things: HashMap<String, BTreeMap<String, String>>,
    policies: HashMap<String, Policy>,
    authorities: HashMap<CertificateId, CaRecord>,
    /// Fleet provisioning templates.
    templates: HashMap<String, Template>,
    /// Pre-provisioning hooks of some of them.
    hooks: HashMap<String, claims::Hook>,
    /// The certificate that an ownership token stands for.
    ownership: HashMap<String, CertificateId>,
}

#[derive(Debug)]
struct CertificateRecord {
    status: Status,
    policies: BTreeSet<String>,
    things: BTreeSet<String>,
    lease: Lease,
    since: SystemTime,
}

/// How long a certificate is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lease {
    /// Until its owner deletes it.
    Unlimited,
    /// Made by fleet provisioning: deleted at this time unless RegisterThing was called.
    UnlessProvisioned(Instant),
    /// A claim of a trusted user for one template, until this time.
    Claim(String, Instant),
}

impl CertificateRecord {
    fn new(status: Status, lease: Lease) -> Self {
        Self { status, policies: BTreeSet::new(), things: BTreeSet::new(), lease, since: SystemTime::now() }
    }
}

impl Registry {
    pub(crate) fn new(region: &str, account: &str, clock: Clock, issuer: Arc<Issuer>) -> Self {
        Self {
            arn_prefix: format!("arn:aws:iot:{region}:{account}"),
            clock,
            issuer,
            records: Mutex::default(),
            changes: watch::Sender::new(0),
            shadows: Shadows::default(),
        }
    }

    /// Registers a certificate without its CA, as `RegisterCertificateWithoutCA` does. Takes DER.
    ///
    /// # Errors
    /// [`Error::Certificate`] if the bytes are no certificate, [`Error::AlreadyExists`] if it is registered.
    pub fn register_certificate(&self, der: &[u8], status: Status) -> Result<CertificateId, Error> {
        certificate::check(der)?;
        let id = CertificateId::of(der);
        let mut records = self.records();
        if records.certificates.contains_key(&id) {
            return Err(exists("certificate", id.as_str()));
        }
        records.certificates.insert(id.clone(), CertificateRecord::new(status, Lease::Unlimited));
        Ok(id)
    }

    /// Changes the status of a certificate, as `UpdateCertificate` does.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn set_status(&self, id: &CertificateId, status: Status) -> Result<(), Error> {
        self.records().certificate(id)?.status = status;
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// The status of a certificate, or `None` if it is not registered.
    #[must_use]
    pub fn status(&self, id: &CertificateId) -> Option<Status> {
        self.records().certificates.get(id).map(|record| record.status)
    }

    /// Creates a thing without a thing type, as `CreateThing` does.
    ///
    /// # Errors
    /// [`Error::ThingName`], [`Error::TooManyAttributes`] or [`Error::AlreadyExists`]. Creating the
    /// same thing with the same attributes again is no error, as on AWS.
    pub fn create_thing(&self, name: &str, attributes: &[(&str, &str)]) -> Result<(), Error> {
        if !topic::is_thing_name(name) {
            return Err(Error::ThingName(name.to_owned()));
        }
        if attributes.len() > 3 {
            return Err(Error::TooManyAttributes(attributes.len()));
        }
        let attributes: BTreeMap<_, _> =
            attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut records = self.records();
        if records.things.get(name).is_some_and(|known| *known != attributes) {
            return Err(exists("thing", name));
        }
        records.things.insert(name.to_owned(), attributes);
        Ok(())
    }

    /// The attributes of a thing, or `None` if there is no such thing.
    #[must_use]
    pub fn thing(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.records().things.get(name).cloned()
    }

    /// Creates a policy from its JSON document, as `CreatePolicy` does. Which part of the policy
    /// language is understood is told at [`Action`]; the rest is refused, never ignored.
    ///
    /// # Errors
    /// [`Error::Policy`] or [`Error::AlreadyExists`].
    pub fn create_policy(&self, name: &str, document: &str) -> Result<(), Error> {
        let policy = Policy::parse(document)?;
        let mut records = self.records();
        if records.policies.contains_key(name) {
            return Err(exists("policy", name));
        }
        records.policies.insert(name.to_owned(), policy);
        Ok(())
    }

    /// Attaches a policy to a certificate, as `AttachPolicy` does. Attaching twice is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn attach_policy(&self, policy: &str, id: &CertificateId) -> Result<(), Error> {
        let mut records = self.records();
        if !records.policies.contains_key(policy) {
            return Err(missing("policy", policy));
        }
        records.certificate(id)?.policies.insert(policy.to_owned());
        Ok(())
    }

    /// Attaches a thing to a certificate, as `AttachThingPrincipal` does. Attaching twice is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn attach_thing(&self, thing: &str, id: &CertificateId) -> Result<(), Error> {
        let mut records = self.records();
        if !records.things.contains_key(thing) {
            return Err(missing("thing", thing));
        }
        records.certificate(id)?.things.insert(thing.to_owned());
        Ok(())
    }

    /// The document of a shadow as `GetThingShadow` returns it (`state` with `desired`, `reported`
    /// and `delta`, `metadata`, `version`, `timestamp`); `None` as name is the classic shadow.
    #[must_use]
    pub fn shadow(&self, thing: &str, name: Option<&str>) -> Option<Value> {
        self.shadows.get(thing, name)
    }

    /// Whether the certificate's policies allow the client the action on the last part of an ARN,
    /// for example on the topic; the error is the ARN.
    pub(crate) fn authorise(
        &self,
        id: &CertificateId,
        client_id: &str,
        action: Action,
        target: &str,
    ) -> Result<(), String> {
        let arn = format!("{}:{}/{target}", self.arn_prefix, action.resource_kind());
        let records = self.records();
        let allowed = records.certificates.get(id).is_some_and(|record| {
            if let Lease::Claim(template, _) = &record.lease {
                return claims::allows(template, action, target);
            }
            let thing = record.things.get(client_id).map(String::as_str);
            let policies = record.policies.iter().filter_map(|name| records.policies.get(name));
            policy::allows(policies, action, &arn, Principal { client_id, thing })
        });
        drop(records);
        if allowed { Ok(()) } else { Err(arn) }
    }

    /// Wakes whoever must look at a certificate's status again.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The records, without what has run out.
    fn records(&self) -> MutexGuard<'_, Records> {
        let now = self.clock.now();
        let mut records = lock(&self.records);
        records.certificates.retain(|_, record| match record.lease {
            Lease::Unlimited => true,
            Lease::UnlessProvisioned(until) | Lease::Claim(_, until) => now < until,
        });
        records
    }
}

impl Records {
    fn certificate(&mut self, id: &CertificateId) -> Result<&mut CertificateRecord, Error> {
        self.certificates.get_mut(id).ok_or_else(|| missing("certificate", id.as_str()))
    }
}

fn exists(kind: &'static str, name: &str) -> Error {
    Error::AlreadyExists { kind, name: name.to_owned() }
}

fn missing(kind: &'static str, name: &str) -> Error {
    Error::NotFound { kind, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new("emulator-1", "0", Clock::default(), Arc::new(Issuer::new().unwrap()))
    }

    #[test]
    fn things_follow_the_pattern_and_may_be_created_again_unchanged() {
        let registry = registry();
        for bad in ["", "a b", "a/b", "ü", &"x".repeat(129)] {
            assert!(matches!(registry.create_thing(bad, &[]), Err(Error::ThingName(_))), "{bad}");
        }
        registry.create_thing("gw:1_a-B", &[("site", "north")]).unwrap();
        registry.create_thing("gw:1_a-B", &[("site", "north")]).unwrap();
        assert!(matches!(registry.create_thing("gw:1_a-B", &[]), Err(Error::AlreadyExists { .. })));
        assert!(registry.thing("gw:1_a-B").is_some());
    }

    #[test]
    fn attaching_needs_both_ends() {
        let registry = registry();
        let nobody = CertificateId::of(b"nobody");
        assert!(matches!(registry.attach_policy("p", &nobody), Err(Error::NotFound { kind: "policy", .. })));
        assert!(matches!(registry.set_status(&nobody, Status::Active), Err(Error::NotFound { .. })));
        assert!(matches!(registry.register_certificate(b"", Status::Active), Err(Error::Certificate(_))));
    }
}
