//! How the devices of a CA get in.

use std::path::PathBuf;

use super::{CaError, template};
use crate::{aws::Entrance, error::Error, register::Policy};

/// What was typed of it.
#[derive(Debug, clap::Args)]
pub(super) struct EntranceOptions {
    /// Register a device's certificate when it connects for the first time; it waits until somebody activates it
    /// (just-in-time registration).
    #[arg(long)]
    auto_registration: bool,
    /// Make a thing of a device when it connects for the first time, by a template (just-in-time provisioning).
    #[arg(long, requires = "role_arn", conflicts_with = "auto_registration")]
    provision: bool,
    /// The template, in JSON, instead of the one that `atecc ca template` prints.
    #[arg(long, value_name = "FILE", requires = "provision", value_hint = clap::ValueHint::FilePath)]
    template: Option<PathBuf>,
    /// The role with which AWS runs the template; it needs the managed policy AWSIoTThingsRegistration.
    #[arg(long, value_name = "ARN", requires = "provision")]
    role_arn: Option<String>,
}

impl EntranceOptions {
    /// What is meant. The shipped template gives the certificates `policy`.
    pub(super) fn read(&self, policy: Option<&Policy>) -> Result<Entrance, Error> {
        let Some(role) = self.role_arn.clone() else {
            return Ok(if self.auto_registration { Entrance::Registers } else { Entrance::Closed });
        };
        let template = match (&self.template, policy) {
            (Some(path), _) => template::read(path)?,
            (None, Some(policy)) => template::shipped(&policy.name),
            (None, None) => {
                return Err(
                    CaError::Needs { option: "--no-policy", with: "a --template that says so" }.into()
                );
            }
        };
        Ok(Entrance::Provisions { template: template.to_string(), role })
    }
}
