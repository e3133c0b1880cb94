//! What provisioning changes in the registry: `RegisterThing`, and certificates that wait for it.

use std::collections::BTreeMap;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::{CertificateRecord, Lease, Records, Registry};
use crate::policy::Policy;
use crate::shadow::topic;
use crate::template::{Override, Parameters, Plan, PolicySource, Thing};
use crate::{CertificateId, Error, Status, certificate};

/// "The certificateOwnershipToken [...] expires after one hour. [...] If the certificate [...] has not been activated and
/// has not been attached to a policy or a thing by the time the token expires, the certificate is deleted" (developer
/// guide, "Device provisioning MQTT API").
const OWNERSHIP: Duration = Duration::from_secs(60 * 60);
/// Random bytes in an ownership token.
const TOKEN_BYTES: usize = 32;

/// What a template made of a device.
#[derive(Debug)]
pub(crate) struct Provisioned {
    pub(crate) thing: Option<String>,
    pub(crate) device_configuration: BTreeMap<String, String>,
}

impl Registry {
    /// A certificate for the key of a request, PENDING_ACTIVATION; gives id, PEM and ownership token. The error says
    /// what is wrong with the request.
    pub(crate) fn certify(&self, request_pem: &str) -> Result<(CertificateId, String, String), String> {
        let (certificate, pem) = self.issuer.sign(request_pem)?;
        let (id, token) = self.lend(&certificate).map_err(|error| error.to_string())?;
        Ok((id, pem, token))
    }

    /// A new key with its certificate, PENDING_ACTIVATION; gives id, PEM, key and ownership token.
    pub(crate) fn create_keys(&self) -> Result<(CertificateId, String, String, String), Error> {
        let issued = self.issuer.issue("EMULATOR of IoT Core certificate")?;
        let (id, token) = self.lend(&issued.certificate)?;
        Ok((id, issued.certificate_pem, issued.key_pem, token))
    }

    /// Registers a certificate for as long as its ownership token lives.
    fn lend(&self, certificate: &CertificateDer<'_>) -> Result<(CertificateId, String), Error> {
        let mut secret = [0; TOKEN_BYTES];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut secret)
            .map_err(|_| Error::Broker("no random numbers".to_owned()))?;
        let token = certificate::hex(&secret);
        let id = CertificateId::of(certificate);
        let lease = Lease::UnlessProvisioned(self.clock.now() + OWNERSHIP);
        let mut records = self.records();
        records.certificates.insert(id.clone(), CertificateRecord::new(Status::PendingActivation, lease));
        // Those of certificates that are gone lead nowhere.
        let Records { ownership, certificates, .. } = &mut *records;
        ownership.retain(|_, id| certificates.contains_key(id));
        ownership.insert(token.clone(), id.clone());
        Ok((id, token))
    }

    /// The certificate that an ownership token stands for, as long as it lives.
    pub(crate) fn owned(&self, token: &str) -> Option<CertificateId> {
        let records = self.records();
        let id = records.ownership.get(token)?;
        records.certificates.contains_key(id).then(|| id.clone())
    }

    /// What a fleet provisioning template means for a device; `None` without that template.
    pub(crate) fn plan(&self, template: &str, parameters: &Parameters) -> Option<Result<Plan, String>> {
        Some(self.records().templates.get(template)?.plan(parameters))
    }

    /// Does what a template says: all of it, or nothing and an error that says why.
    pub(crate) fn provision(&self, id: &CertificateId, plan: Plan) -> Result<Provisioned, String> {
        let mut records = self.records();
        if !records.certificates.contains_key(id) {
            return Err(format!("certificate {id} is not registered"));
        }
        let mut created = Vec::new();
        let mut names = Vec::new();
        for policy in plan.policies {
            match policy {
                PolicySource::Named(name) if records.policies.contains_key(&name) => names.push(name),
                PolicySource::Named(name) => return Err(format!("policy {name} does not exist")),
                PolicySource::Document(document) => {
                    let policy = Policy::parse(&document).map_err(|error| error.to_string())?;
                    // "Defaults to a hash of the policy document".
                    let name = certificate::hex(&Sha256::digest(document.as_bytes()));
                    names.push(name.clone());
                    created.push((name, policy));
                }
            }
        }
        let thing = plan.thing.as_ref().map(|thing| records.attributes_of(thing)).transpose()?;
        // From here on nothing can fail.
        records.policies.extend(created);
        if let (Some(thing), Some(attributes)) = (&plan.thing, thing) {
            records.things.insert(thing.name.clone(), attributes);
        }
        if let Some(record) = records.certificates.get_mut(id) {
            record.policies.extend(names);
            record.things.extend(plan.thing.iter().map(|thing| thing.name.clone()));
            record.status = plan.status;
            record.lease = Lease::Unlimited;
        }
        records.ownership.retain(|_, owned| owned != id);
        drop(records);
        self.changes.send_modify(|count| *count += 1);
        let thing = plan.thing.map(|thing| thing.name);
        Ok(Provisioned { thing, device_configuration: plan.device_configuration })
    }
}

impl Records {
    /// The attributes that a thing is to have, with those that it has.
    fn attributes_of(&self, thing: &Thing) -> Result<BTreeMap<String, String>, String> {
        let Thing { name, attributes, if_it_exists } = thing;
        if !topic::is_thing_name(name) {
            return Err(Error::ThingName(name.clone()).to_string());
        }
        let attributes = match (self.things.get(name), if_it_exists) {
            (None, _) | (Some(_), Override::Replace) => attributes.clone(),
            (Some(known), Override::DoNothing) => known.clone(),
            (Some(known), Override::Merge) => known.clone().into_iter().chain(attributes.clone()).collect(),
            (Some(_), Override::Fail) => return Err(format!("thing {name} exists already")),
        };
        if attributes.len() > 3 {
            return Err(Error::TooManyAttributes(attributes.len()).to_string());
        }
        Ok(attributes)
    }
}
