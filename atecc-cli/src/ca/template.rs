//! `atecc ca template`: what just-in-time provisioning makes of a device.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::CaError;
use crate::{aws::DEFAULT_POLICY, error::Error, output};

/// Print the template for just-in-time provisioning that `atecc ca register --provision` uses, as a start for your own.
///
/// A template may declare of a Trust&GO certificate's subject only its common name and its organization, and the
/// certificate's id: with a parameter that the certificate does not have, the provisioning fails.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy that the certificates get.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_POLICY)]
    policy: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    output::json(&shipped(&arguments.policy))
}

/// A thing with the common name as its name, which is what `identity::thing_name` gives wherever that can be said here;
/// the certificate, activated; and its policy (developer guide, "Just-in-time provisioning").
pub(super) fn shipped(policy: &str) -> Value {
    const COMMON_NAME: &str = "AWS::IoT::Certificate::CommonName";
    const ID: &str = "AWS::IoT::Certificate::Id";
    json!({
        "Parameters": { COMMON_NAME: { "Type": "String" }, ID: { "Type": "String" } },
        "Resources": {
            "thing": {
                "Type": "AWS::IoT::Thing",
                "Properties": { "ThingName": { "Ref": COMMON_NAME } },
            },
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": { "CertificateId": { "Ref": ID }, "Status": "ACTIVE" },
            },
            "policy": { "Type": "AWS::IoT::Policy", "Properties": { "PolicyName": policy } },
        },
    })
}

/// The template in a file.
pub(super) fn read(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::InputFile { path: path.into(), source })?;
    let unfit = |problem: String| CaError::Template { path: path.into(), problem };
    let template: Value = serde_json::from_str(&text).map_err(|error| unfit(error.to_string()))?;
    if !template["Resources"].is_object() {
        return Err(unfit("it has no Resources; `atecc ca template` prints a good start".into()).into());
    }
    Ok(template)
}
