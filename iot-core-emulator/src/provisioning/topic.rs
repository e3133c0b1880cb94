//! Topics of fleet provisioning.

use super::format::Format;

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    CreateCertificateFromCsr,
    CreateKeysAndCertificate,
    /// With the template's name.
    RegisterThing(String),
}

/// A request's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) call: Call,
    pub(crate) format: Format,
}

impl Request {
    /// The topic, or one below it, for example `/accepted`.
    pub(crate) fn topic(&self, below: &str) -> String {
        let format = self.format.name();
        match &self.call {
            Call::CreateCertificateFromCsr => format!("$aws/certificates/create-from-csr/{format}{below}"),
            Call::CreateKeysAndCertificate => format!("$aws/certificates/create/{format}{below}"),
            Call::RegisterThing(template) => {
                format!("$aws/provisioning-templates/{template}/provision/{format}{below}")
            }
        }
    }
}

/// What a topic is to fleet provisioning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not its business.
    None,
    /// Devices ask here.
    Request(Request),
    /// Nothing that a device may publish to.
    ServiceOnly,
}

/// Finds out what a topic is to fleet provisioning.
pub(crate) fn role(topic: &str) -> Role {
    let levels: Vec<&str> = topic.split('/').collect();
    let (call, rest) = match levels.as_slice() {
        ["$aws", "certificates", "create-from-csr", rest @ ..] => (Call::CreateCertificateFromCsr, rest),
        ["$aws", "certificates", "create", rest @ ..] => (Call::CreateKeysAndCertificate, rest),
        ["$aws", "provisioning-templates", template, "provision", rest @ ..] if !template.is_empty() => {
            (Call::RegisterThing((*template).to_owned()), rest)
        }
        ["$aws", "certificates" | "provisioning-templates", ..] => return Role::ServiceOnly,
        _ => return Role::None,
    };
    match rest {
        ["json"] => Role::Request(Request { call, format: Format::Json }),
        ["cbor"] => Role::Request(Request { call, format: Format::Cbor }),
        _ => Role::ServiceOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_lead_back_to_their_topics() {
        for topic in [
            "$aws/certificates/create/json",
            "$aws/certificates/create-from-csr/cbor",
            "$aws/provisioning-templates/fleet/provision/json",
        ] {
            let Role::Request(request) = role(topic) else { panic!("{topic}") };
            assert_eq!(request.topic(""), topic);
            assert_eq!(role(&request.topic("/accepted")), Role::ServiceOnly);
        }
        assert_eq!(role("$aws/certificates/create/xml"), Role::ServiceOnly);
        assert_eq!(role("$aws/provisioning-templates/fleet/json"), Role::ServiceOnly);
        assert_eq!(role("$aws/events/certificates/registered/x"), Role::None);
        assert_eq!(role("certificates/create/json"), Role::None);
    }
}
