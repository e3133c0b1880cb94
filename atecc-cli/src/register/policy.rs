//! Which policy a certificate gets.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::{
    RegisterError,
    report::{Outcome, Report},
};
use crate::{
    aws::{Client, DEFAULT_POLICY, device_policy},
    error::Error,
};

/// What was typed of it.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyOptions {
    /// A policy that is there, instead of the one that this program makes.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// The text of the policy, in JSON, with which it is made if it is not there.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    policy_document: Option<PathBuf>,
    /// Attach no policy; the device's rights come from a group of things.
    #[arg(long, conflicts_with_all = ["policy", "policy_document"])]
    no_policy: bool,
}

/// The policy that is meant.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    text: Text,
}

#[derive(Debug)]
enum Text {
    /// That of this program.
    Shipped,
    /// The user's.
    Given(Value),
    /// It has to be there.
    There,
}

impl PolicyOptions {
    /// Reads the file, if there is one. `None`: no policy is wanted.
    pub(crate) fn read(&self) -> Result<Option<Policy>, Error> {
        if self.no_policy {
            return Ok(None);
        }
        let name = self.policy.clone().unwrap_or_else(|| DEFAULT_POLICY.to_owned());
        let text = match (&self.policy_document, &self.policy) {
            (Some(path), _) => {
                let text = fs::read_to_string(path);
                let text = text.map_err(|source| Error::InputFile { path: path.clone(), source })?;
                let document = serde_json::from_str(&text).map_err(|error| {
                    RegisterError::PolicyDocument { path: path.clone(), problem: error.to_string() }
                })?;
                Text::Given(document)
            }
            (None, Some(_)) => Text::There,
            (None, None) => Text::Shipped,
        };
        Ok(Some(Policy { name, text }))
    }
}

impl Policy {
    /// What stands in the policy of this name at the moment.
    ///
    /// # Errors
    /// When it is not there, and the user named one that has to be.
    pub(crate) async fn look(&self, client: &Client) -> Result<Option<Value>, Error> {
        let there = client.policy(&self.name).await?;
        if there.is_none() && matches!(self.text, Text::There) {
            let (name, place) = (self.name.clone(), client.place().to_string());
            return Err(RegisterError::NoPolicy { name, place }.into());
        }
        Ok(there)
    }

    /// Whether it is that of this program, which is made for an account.
    pub(crate) const fn is_shipped(&self) -> bool {
        matches!(self.text, Text::Shipped)
    }

    /// What it shall say, in the account of the resource `arn`; `None`: whatever it says.
    pub(crate) fn wanted(&self, arn: &str) -> Option<Value> {
        match &self.text {
            Text::Shipped => Some(device_policy(arn)),
            Text::Given(document) => Some(document.clone()),
            Text::There => None,
        }
    }

    /// Makes it as `wanted`, unless it is `there`. A policy that says something else stays as it is: it may
    /// serve others.
    pub(crate) async fn settle(
        &self,
        client: &Client,
        there: Option<Value>,
        wanted: Option<Value>,
        is_dry: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        let name = &self.name;
        match (there, wanted) {
            (Some(there), wanted) => {
                report.step("policy", Outcome::Found, name)?;
                if wanted.is_some_and(|wanted| wanted != there) {
                    report.note(format!(
                        "policy {name} says something else than the one that would be made here; it stays as it is"
                    ))?;
                }
                Ok(())
            }
            (None, Some(document)) if !is_dry => {
                client.create_policy(name, &document).await?;
                report.step("policy", Outcome::Made, name)
            }
            (None, _) => report.step("policy", Outcome::Missing, name),
        }
    }
}
