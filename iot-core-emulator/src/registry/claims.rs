//! Fleet provisioning templates, and claims of trusted users for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{CertificateRecord, Lease, Registry, exists, missing};
use crate::template::{Kind, Parameters, Template};
use crate::{Action, CertificateId, Error, Status};

/// "The temporary provisioning claim certificate that CreateProvisioningClaim returns expires after five minutes"
/// (developer guide, "Provisioning by trusted user").
const CLAIM_LIFE: Duration = Duration::from_secs(5 * 60);

/// What a trusted user hands to a device.
#[derive(Clone)]
pub struct ProvisioningClaim {
    /// The claim's id.
    pub certificate_id: CertificateId,
    /// The certificate in PEM.
    pub certificate_pem: String,
    /// Its key, PKCS#8 in PEM.
    pub private_key_pem: String,
}

impl std::fmt::Debug for ProvisioningClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvisioningClaim")
            .field("certificate_id", &self.certificate_id)
            .finish_non_exhaustive()
    }
}

/// Decides by the parameters that a device sends whether it may be provisioned, as a pre-provisioning hook does.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn(&Parameters) -> bool + Send + Sync>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Registry {
    /// Gives a fleet provisioning template a pre-provisioning hook, which allows a device by its parameters, or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] without that template.
    pub fn set_pre_provisioning_hook(
        &self,
        template: &str,
        allows: impl Fn(&BTreeMap<String, String>) -> bool + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let mut records = self.records();
        if !records.templates.contains_key(template) {
            return Err(missing("provisioning template", template));
        }
        records.hooks.insert(template.to_owned(), Hook(Arc::new(allows)));
        Ok(())
    }

    /// Whether the template's hook, if it has one, allows a device with these parameters.
    pub(crate) fn hook_allows(&self, template: &str, parameters: &Parameters) -> bool {
        let hook = self.records().hooks.get(template).cloned();
        hook.is_none_or(|Hook(allows)| allows(parameters))
    }

    /// Creates a fleet provisioning template, enabled and without a hook, as `CreateProvisioningTemplate` does.
    ///
    /// # Errors
    /// [`Error::Template`] or [`Error::AlreadyExists`].
    pub fn create_provisioning_template(&self, name: &str, body: &str) -> Result<(), Error> {
        let template = Template::parse(Kind::Fleet, body)?;
        let mut records = self.records();
        if records.templates.contains_key(name) {
            return Err(exists("provisioning template", name));
        }
        records.templates.insert(name.to_owned(), template);
        Ok(())
    }

    /// Makes a claim for a template, as `CreateProvisioningClaim` does. It is valid for five minutes, and allows the
    /// topics of fleet provisioning with that template only.
    ///
    /// # Errors
    /// [`Error::NotFound`] without that template.
    pub fn create_provisioning_claim(&self, template: &str) -> Result<ProvisioningClaim, Error> {
        if !self.records().templates.contains_key(template) {
            return Err(missing("provisioning template", template));
        }
        let issued = self.issuer.issue("EMULATOR provisioning claim")?;
        let certificate_id = CertificateId::of(&issued.certificate);
        let lease = Lease::Claim(template.to_owned(), self.clock.now() + CLAIM_LIFE);
        let record = CertificateRecord::new(Status::Active, lease);
        self.records().certificates.insert(certificate_id.clone(), record);
        Ok(ProvisioningClaim {
            certificate_id,
            certificate_pem: issued.certificate_pem,
            private_key_pem: issued.key_pem,
        })
    }
}

/// Whether a claim for `template` allows this.
pub(super) fn allows(template: &str, action: Action, target: &str) -> bool {
    let topic = || {
        let behind = target.strip_prefix("$aws/").unwrap_or_default();
        behind.strip_prefix("provisioning-templates/").and_then(|rest| rest.strip_prefix(template)).map_or(
            behind.starts_with("certificates/create/") || behind.starts_with("certificates/create-from-csr/"),
            |rest| rest.starts_with("/provision/"),
        )
    };
    match action {
        Action::Connect => true,
        Action::Publish | Action::Subscribe | Action::Receive => topic(),
        Action::RetainPublish => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_for_one_template() {
        for (target, allowed) in [
            ("$aws/certificates/create-from-csr/json", true),
            ("$aws/certificates/create/cbor/accepted", true),
            ("$aws/provisioning-templates/fleet/provision/json", true),
            ("$aws/provisioning-templates/fleet2/provision/json", false),
            ("$aws/provisioning-templates/other/provision/json", false),
            ("$aws/things/gw/shadow/get", false),
            ("telemetry", false),
        ] {
            assert_eq!(allows("fleet", Action::Publish, target), allowed, "{target}");
        }
    }
}
