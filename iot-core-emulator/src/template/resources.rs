//! The section `Resources`: a thing, a certificate, policies.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::value::Scope;
use super::{Override, PolicySource, Thing};
use crate::{Error, Status};

/// Resources by their logical names, which only people read.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resources(BTreeMap<String, Resource>);

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "Type", deny_unknown_fields)]
enum Resource {
    #[serde(rename = "AWS::IoT::Thing")]
    Thing {
        #[serde(rename = "Properties")]
        properties: ThingProperties,
        #[serde(rename = "OverrideSettings", default)]
        settings: Settings,
    },
    #[serde(rename = "AWS::IoT::Certificate")]
    Certificate {
        #[serde(rename = "Properties")]
        properties: CertificateProperties,
        #[serde(rename = "OverrideSettings", default)]
        _settings: CertificateSettings,
    },
    #[serde(rename = "AWS::IoT::Policy")]
    Policy {
        #[serde(rename = "Properties")]
        properties: PolicyProperties,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ThingProperties {
    thing_name: Value,
    #[serde(default)]
    attribute_payload: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    attribute_payload: Override,
}

/// The status of a certificate is always that of the template here, so this has no effect.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CertificateSettings {
    #[serde(rename = "Status", default)]
    _status: Override,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CertificateProperties {
    certificate_id: Value,
    status: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PolicyProperties {
    policy_name: Option<Value>,
    /// An object, or one as an escaped string.
    policy_document: Option<Value>,
}

impl Resources {
    /// All values with references and functions in them. A policy document has variables of its own and is left out.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.values().flat_map(|resource| -> Vec<&Value> {
            match resource {
                Resource::Thing { properties, .. } => std::iter::once(&properties.thing_name)
                    .chain(properties.attribute_payload.values())
                    .collect(),
                Resource::Certificate { properties, .. } => {
                    std::iter::once(&properties.certificate_id).chain(&properties.status).collect()
                }
                Resource::Policy { properties } => properties.policy_name.iter().collect(),
            }
        })
    }

    /// Whether the numbers are right: at most one thing, one certificate, and policies with one source each.
    pub(super) fn check(&self) -> Result<(), Error> {
        let count =
            |wanted: fn(&Resource) -> bool| self.0.values().filter(|resource| wanted(resource)).count();
        if count(|resource| matches!(resource, Resource::Thing { .. })) > 1 {
            return Err(Error::Template("more than one thing".to_owned()));
        }
        if count(|resource| matches!(resource, Resource::Certificate { .. })) != 1 {
            return Err(Error::Template("exactly one certificate must be a resource".to_owned()));
        }
        let ambiguous = |resource: &Resource| match resource {
            Resource::Policy { properties } => {
                properties.policy_name.is_some() == properties.policy_document.is_some()
            }
            _ => false,
        };
        if self.0.values().any(ambiguous) {
            return Err(Error::Template("a policy has either PolicyName or PolicyDocument".to_owned()));
        }
        Ok(())
    }

    pub(super) fn thing(&self, scope: &Scope<'_>) -> Result<Option<Thing>, String> {
        let thing = self.0.values().find_map(|resource| match resource {
            Resource::Thing { properties, settings } => Some((properties, settings)),
            _ => None,
        });
        let Some((properties, settings)) = thing else { return Ok(None) };
        let attributes = properties.attribute_payload.iter();
        let attributes = attributes.map(|(name, value)| Ok((name.clone(), scope.text(value)?)));
        Ok(Some(Thing {
            name: scope.text(&properties.thing_name)?,
            attributes: attributes.collect::<Result<_, String>>()?,
            if_it_exists: settings.attribute_payload,
        }))
    }

    /// The guide writes "ACTIVE" in one example and "Active" in another.
    pub(super) fn status(&self, scope: &Scope<'_>) -> Result<Status, String> {
        let status = self.0.values().find_map(|resource| match resource {
            Resource::Certificate { properties, .. } => properties.status.as_ref(),
            _ => None,
        });
        let Some(status) = status else { return Ok(Status::Active) };
        match scope.text(status)?.to_ascii_uppercase().as_str() {
            "ACTIVE" => Ok(Status::Active),
            "INACTIVE" => Ok(Status::Inactive),
            other => Err(format!("Status {other:?} is neither ACTIVE nor INACTIVE")),
        }
    }

    pub(super) fn policies(&self, scope: &Scope<'_>) -> Result<Vec<PolicySource>, String> {
        let policies = self.0.values().filter_map(|resource| match resource {
            Resource::Policy { properties } => Some(properties),
            _ => None,
        });
        policies
            .map(|properties| match (&properties.policy_name, &properties.policy_document) {
                (Some(name), _) => Ok(PolicySource::Named(scope.text(name)?)),
                (None, Some(Value::String(document))) => Ok(PolicySource::Document(document.clone())),
                (None, document) => {
                    Ok(PolicySource::Document(document.as_ref().map(Value::to_string).unwrap_or_default()))
                }
            })
            .collect()
    }
}
