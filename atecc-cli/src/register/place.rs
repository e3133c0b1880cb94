//! The registration in one account and region, step by step.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    RegisterError,
    configuration::Configuration,
    device::Device,
    report::{Outcome, Report},
};
use crate::{
    aws::{Client, DEFAULT_POLICY, Registered, Status, device_policy},
    error::Error,
};

/// Which policy the certificate gets.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyOptions {
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
pub(super) struct Policy {
    name: String,
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
    pub(super) fn read(&self) -> Result<Option<Policy>, Error> {
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

/// What is to be done in one place.
pub(super) struct Work<'a> {
    pub(super) client: &'a Client,
    pub(super) device: &'a Device,
    pub(super) thing: &'a str,
    pub(super) policy: &'a Option<Policy>,
    pub(super) server_ca: &'a str,
    pub(super) folder: &'a Path,
    pub(super) is_dry: bool,
}

impl Work<'_> {
    /// Does what is missing, and returns the agent's configuration.
    pub(super) async fn run(&self, report: &mut Report) -> Result<Option<String>, Error> {
        let endpoint = self.client.data_endpoint().await?;
        report.step("endpoint", Outcome::Found, &endpoint)?;
        let configuration = Configuration {
            folder: self.folder,
            endpoint: &endpoint,
            server_ca: self.server_ca,
            key: &self.device.key,
            thing: self.thing,
        };
        // What would be in the way at the end is in the way now, when nothing is made yet.
        let is_written = configuration.look()?;
        let is_policy_there = self.look_for_policy().await?;
        let certificate = self.certificate(report).await?;
        self.policy(is_policy_there, certificate.as_ref(), report).await?;
        self.thing(certificate.as_ref(), report).await?;
        let file = configuration.file().display().to_string();
        if is_written == Outcome::Missing && !self.is_dry {
            configuration.write()?;
            report.step("configuration", Outcome::Made, &file)?;
        } else {
            report.step("configuration", is_written, &file)?;
        }
        if self.device.key.lacks_pin {
            report
                .note(format!("the PIN is not in {file}; add pin-source=FILE to the URI of the key there"))?;
        }
        Ok((!self.is_dry).then_some(file))
    }

    /// The certificate, registered and active; `None`: it is not, and this is a dry run.
    async fn certificate(&self, report: &mut Report) -> Result<Option<Registered>, Error> {
        let id = self.device.certificate_id();
        let known = self.client.certificate(&id).await?;
        let (certificate, outcome) = match known {
            Some((certificate, status)) => {
                let is_activated = self.activate(&certificate, status).await?;
                (certificate, if is_activated { Outcome::Made } else { Outcome::Found })
            }
            None if self.is_dry => {
                report.step("certificate", Outcome::Missing, &id)?;
                return Ok(None);
            }
            None => {
                let (certificate, was_there) =
                    self.client.register_certificate_without_ca(&self.device.pem()?).await?;
                (certificate, if was_there { Outcome::Found } else { Outcome::Made })
            }
        };
        report.step("certificate", outcome, &format!("{} (active)", certificate.id))?;
        Ok(Some(certificate))
    }

    /// Lets in what waits for that. What somebody has switched off stays off. `true`: it had to be activated.
    async fn activate(&self, certificate: &Registered, status: Status) -> Result<bool, Error> {
        let id = certificate.id.clone();
        match status {
            Status::Active => Ok(false),
            Status::Pending if self.is_dry => Ok(false),
            Status::Pending => {
                self.client.activate_certificate(&id).await?;
                Ok(true)
            }
            Status::Inactive => Err(RegisterError::Inactive { id }.into()),
            Status::Closed => Err(RegisterError::Closed { id }.into()),
        }
    }

    /// Whether the policy is there. One that the user named has to be.
    async fn look_for_policy(&self) -> Result<Option<Value>, Error> {
        let Some(Policy { name, text }) = self.policy else { return Ok(None) };
        match (self.client.policy(name).await?, text) {
            (None, Text::There) => {
                let (name, place) = (name.clone(), self.client.place().to_string());
                Err(RegisterError::NoPolicy { name, place }.into())
            }
            (document, _) => Ok(document),
        }
    }

    async fn policy(
        &self,
        there: Option<Value>,
        certificate: Option<&Registered>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(Policy { name, text }) = self.policy else { return Ok(()) };
        let wanted = match (text, certificate) {
            (Text::Shipped, Some(certificate)) => Some(device_policy(&certificate.arn)),
            (Text::Given(document), _) => Some(document.clone()),
            _ => None,
        };
        match (&there, &wanted) {
            (Some(there), Some(wanted)) if there != wanted => {
                report.step("policy", Outcome::Found, name)?;
                report.note(format!(
                    "policy {name} says something else than the one that would be made here; it stays as it is"
                ))?;
            }
            (Some(_), _) => report.step("policy", Outcome::Found, name)?,
            (None, Some(document)) if !self.is_dry => {
                self.client.create_policy(name, document).await?;
                report.step("policy", Outcome::Made, name)?;
            }
            (None, _) => report.step("policy", Outcome::Missing, name)?,
        }
        let what = format!("{name} to the certificate");
        let Some(certificate) = certificate else {
            return report.step("attachment", Outcome::Missing, &what);
        };
        let outcome = if self.client.attached_policies(&certificate.arn).await?.contains(name) {
            Outcome::Found
        } else if self.is_dry {
            Outcome::Missing
        } else {
            self.client.attach_policy(name, &certificate.arn).await?;
            Outcome::Made
        };
        report.step("attachment", outcome, &what)
    }

    async fn thing(&self, certificate: Option<&Registered>, report: &mut Report) -> Result<(), Error> {
        let is_there = self.client.has_thing(self.thing).await?;
        if !is_there && !self.is_dry {
            self.client.create_thing(self.thing).await?;
        }
        report.step("thing", self.outcome(is_there), self.thing)?;
        let principals = if is_there { self.client.principals(self.thing).await? } else { Vec::new() };
        let is_attached = certificate.is_some_and(|certificate| principals.contains(&certificate.arn));
        if let Some(certificate) = certificate
            && !is_attached
            && !self.is_dry
        {
            self.client.attach_principal(self.thing, &certificate.arn).await?;
        }
        report.step(
            "attachment",
            self.outcome(is_attached),
            &format!("the certificate to {}", self.thing),
        )?;
        match principals.len() - usize::from(is_attached) {
            0 => Ok(()),
            others => report.note(format!(
                "{others} more certificates act as {}; detach those of devices that are gone, or give each device a \
                 name of its own with --thing",
                self.thing
            )),
        }
    }

    fn outcome(&self, is_there: bool) -> Outcome {
        match (is_there, self.is_dry) {
            (true, _) => Outcome::Found,
            (false, true) => Outcome::Missing,
            (false, false) => Outcome::Made,
        }
    }
}
