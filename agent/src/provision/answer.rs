//! What the service answers (AWS IoT Core developer guide, "Device provisioning MQTT API").

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::secret::Secret;

/// A certificate that waits for RegisterThing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) certificate_id: String,
    pub(super) certificate_pem: String,
    /// Proves for an hour that the certificate is ours.
    pub(super) certificate_ownership_token: Secret,
    /// Of CreateKeysAndCertificate alone.
    pub(super) private_key: Option<Secret>,
}

/// A thing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    /// A template without a thing names none.
    pub(super) thing_name: Option<String>,
    pub(super) device_configuration: Option<BTreeMap<String, Value>>,
}

/// A no.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rejected {
    pub(super) status_code: u16,
    pub(super) error_code: String,
    pub(super) error_message: String,
}

impl Rejected {
    /// Too much at once: it may be asked again.
    pub(super) fn is_throttled(&self) -> bool {
        self.status_code == 429 || self.is("throttl")
    }

    /// The ownership token was used, has expired, or is of another account.
    pub(super) fn is_about_token(&self) -> bool {
        self.is("ownershiptoken")
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        if self.is_throttled() {
            "too many devices ask at once; it is tried again later"
        } else if self.is_about_token() {
            "the certificate's ownership token lives for an hour and once; start provisioning anew"
        } else if self.status_code == 403 || self.is("accessdenied") {
            "the template's pre-provisioning hook did not allow this device, or the template's role may not do what it says; is the device on the owner's list, and are [provision.parameters] right?"
        } else if self.is("invocationerror") || self.is("invalidresult") {
            "the template's pre-provisioning hook failed; the owner's CloudWatch log tells more"
        } else if self.is("template") || self.status_code == 404 {
            "is there an enabled template of that name in this account and region? check `template` and `endpoint`"
        } else if self.status_code >= 500 {
            "the service has a problem; it may pass"
        } else {
            "do [provision.parameters] have what the template declares, and may its role do what it says? the owner's CloudWatch log tells more"
        }
    }

    /// Codes are written in several ways.
    fn is(&self, part: &str) -> bool {
        self.error_code.to_ascii_lowercase().replace('_', "").contains(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rejection_may_lack_everything() {
        let rejected: Rejected = serde_json::from_value(json!({})).unwrap();
        assert!(!rejected.is_throttled() && !rejected.is_about_token());
        assert!(rejected.advice().contains("[provision.parameters]"));
    }

    #[test]
    fn each_kind_of_rejection_has_its_advice() {
        for (status, code, says) in [
            (400, "InvalidCertificateOwnershipToken", "lives for an hour"),
            (403, "AccessDenied", "hook"),
            (400, "ACCESS_DENIED", "hook"),
            (400, "InvalidTemplate", "enabled template"),
            (404, "ResourceNotFoundException", "enabled template"),
            (400, "InvocationError", "hook failed"),
            (429, "", "too many devices"),
            (400, "ThrottlingException", "too many devices"),
            (500, "InternalFailure", "may pass"),
            (400, "InvalidParameters", "what the template declares"),
        ] {
            let rejected =
                Rejected { status_code: status, error_code: code.to_owned(), ..Rejected::default() };
            assert!(rejected.advice().contains(says), "{status} {code}: {}", rejected.advice());
        }
    }

    #[test]
    fn a_key_and_a_token_are_not_printed() {
        let created: Created = serde_json::from_value(json!({
            "certificateId": "a", "certificatePem": "b", "certificateOwnershipToken": "tok-1", "privateKey": "key-1",
        }))
        .unwrap();
        let printed = format!("{created:?}");
        assert!(!printed.contains("tok-1") && !printed.contains("key-1"), "{printed}");
    }
}
