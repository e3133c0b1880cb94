//! The provisioning template, and the parameters that go into it.
//!
//! Developer guide of AWS IoT Core, "Provisioning templates" and "Bulk registration". A certificate is given by its id
//! if it is registered, or else whole, with that of its authority, which AWS has to know.

use serde_json::{Value, json};

use super::super::chip::{Chip, pem};

/// How the template comes to a chip's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certificates {
    /// Registered by the template.
    Whole,
    /// Registered before.
    ById,
}

impl Certificates {
    /// The line of one chip.
    pub(super) fn parameters(self, chip: &Chip) -> Result<Value, String> {
        Ok(match self {
            Self::Whole => json!({
                "ThingName": chip.thing,
                "CertificatePem": chip.pem()?,
                "CACertificatePem": pem(&chip.signer)?,
            }),
            Self::ById => json!({ "ThingName": chip.thing, "CertificateId": chip.id() }),
        })
    }

    /// The parameters that the certificate is made of.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &["CertificatePem", "CACertificatePem"],
            Self::ById => &["CertificateId"],
        }
    }
}

/// A thing in `group`, its certificate, active, and `policy`, which is there.
pub(super) fn template(certificates: Certificates, group: Option<&str>, policy: Option<&str>) -> Value {
    let declared = ["ThingName"].iter().chain(certificates.names());
    let parameters: serde_json::Map<String, Value> =
        declared.map(|name| ((*name).to_owned(), json!({ "Type": "String" }))).collect();
    let mut certificate: serde_json::Map<String, Value> =
        certificates.names().iter().map(|name| ((*name).to_owned(), json!({ "Ref": name }))).collect();
    certificate.insert("Status".into(), "ACTIVE".into());
    let mut thing = json!({
        "Type": "AWS::IoT::Thing",
        "Properties": { "ThingName": { "Ref": "ThingName" } },
    });
    if let Some(group) = group {
        thing["Properties"]["ThingGroups"] = json!([group]);
        // A thing that is there stays in its other groups.
        thing["OverrideSettings"] = json!({ "ThingGroups": "MERGE" });
    }
    let mut resources = json!({
        "thing": thing,
        "certificate": { "Type": "AWS::IoT::Certificate", "Properties": certificate },
    });
    if let Some(policy) = policy {
        resources["policy"] = json!({ "Type": "AWS::IoT::Policy", "Properties": { "PolicyName": policy } });
    }
    json!({ "Parameters": parameters, "Resources": resources })
}
