//! Provisioning templates (developer guide, "Provisioning templates"): what a device gets, as a document.
//!
//! Understood are parameters of type String with defaults; one thing with name and attributes; one certificate by
//! CertificateId; policies by name or by document; `OverrideSettings` of a thing's attributes; and in fleet templates
//! `Mappings`, `DeviceConfiguration` and the intrinsic functions. Everything else is refused when the template is
//! created, so that a test never passes because a part was overlooked: thing types, groups and billing groups, which
//! this registry does not have, and certificates by CSR or PEM, which only bulk registration takes.

mod parameters;
mod resources;
mod value;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Status};

pub(crate) use parameters::of_certificate;
use resources::Resources;
use value::Scope;

/// Parameters by name.
pub(crate) type Parameters = BTreeMap<String, String>;

/// What a template is for. The kinds differ in what they may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Just-in-time provisioning: parameters from the certificate's subject, and no functions.
    JustInTime,
    /// Fleet provisioning: parameters from the device.
    Fleet,
}

/// A template that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Each declared parameter with its default.
    parameters: BTreeMap<String, Option<String>>,
    mappings: Value,
    resources: Resources,
    device_configuration: BTreeMap<String, Value>,
}

/// What a template means for one device.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) thing: Option<Thing>,
    /// What the certificate becomes.
    pub(crate) status: Status,
    pub(crate) policies: Vec<PolicySource>,
    /// What the device is told.
    pub(crate) device_configuration: BTreeMap<String, String>,
}

/// A thing that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) if_it_exists: Override,
}

/// What becomes of the attributes of a thing that exists already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Override {
    #[default]
    #[serde(rename = "DO_NOTHING")]
    DoNothing,
    #[serde(rename = "REPLACE")]
    Replace,
    #[serde(rename = "MERGE")]
    Merge,
    #[serde(rename = "FAIL")]
    Fail,
}

/// A policy to attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PolicySource {
    /// One that exists.
    Named(String),
    /// One that is made of this document, under a hash of it as its name.
    Document(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    parameters: BTreeMap<String, RawParameter>,
    #[serde(default)]
    mappings: Value,
    resources: Resources,
    #[serde(default)]
    device_configuration: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawParameter {
    r#type: String,
    default: Option<String>,
}

impl Template {
    /// Understands a template's body; refuses what this emulator would not do.
    pub(crate) fn parse(kind: Kind, json: &str) -> Result<Self, Error> {
        let raw: Raw = serde_json::from_str(json).map_err(|error| Error::Template(error.to_string()))?;
        let mut parameters = BTreeMap::new();
        for (name, parameter) in raw.parameters {
            if parameter.r#type != "String" {
                return Err(Error::Template(format!(
                    "parameter {name} is of type {:?}, not \"String\"",
                    parameter.r#type
                )));
            }
            if kind == Kind::JustInTime && !parameters::of_subject(&name) {
                return Err(Error::Template(format!(
                    "parameter {name} is none of those that just-in-time provisioning takes from the subject"
                )));
            }
            parameters.insert(name, parameter.default);
        }
        let is_fleet = kind == Kind::Fleet;
        let has_sections_of_fleets = !raw.mappings.is_null() || !raw.device_configuration.is_empty();
        if has_sections_of_fleets && !is_fleet {
            return Err(Error::Template(
                "Mappings and DeviceConfiguration belong to fleet provisioning templates".to_owned(),
            ));
        }
        let template = Self {
            parameters,
            mappings: raw.mappings,
            resources: raw.resources,
            device_configuration: raw.device_configuration,
        };
        let check = |value| value::check(value, &template.parameters, is_fleet);
        template.resources.values().chain(template.device_configuration.values()).try_for_each(check)?;
        template.resources.check()?;
        Ok(template)
    }

    /// What it means for a device with these parameters; the error says what is missing or wrong.
    pub(crate) fn plan(&self, given: &Parameters) -> Result<Plan, String> {
        let mut parameters = Parameters::new();
        for (name, default) in &self.parameters {
            let value = given.get(name).or(default.as_ref());
            let value = value.ok_or_else(|| format!("parameter {name} has no value"))?;
            parameters.insert(name.clone(), value.clone());
        }
        let scope = Scope { parameters: &parameters, mappings: &self.mappings };
        let device_configuration =
            self.device_configuration.iter().map(|(key, value)| Ok((key.clone(), scope.text(value)?)));
        Ok(Plan {
            thing: self.resources.thing(&scope)?,
            status: self.resources.status(&scope)?,
            policies: self.resources.policies(&scope)?,
            device_configuration: device_configuration.collect::<Result<_, String>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
