//! The registration in one account and region, step by step.

use std::path::Path;

use serde_json::Value;

use super::{
    certificate::Method,
    configuration::Configuration,
    device::Device,
    policy::Policy,
    report::{Outcome, Report},
};
use crate::{
    aws::{Client, Registered},
    error::Error,
};

/// What is to be done in one place.
pub(super) struct Work<'a> {
    pub(super) client: &'a Client,
    pub(super) device: &'a Device,
    pub(super) thing: &'a str,
    pub(super) method: Method,
    /// The certificate, in PEM, of the CA that issued the device's, if it was named.
    pub(super) authority: Option<&'a str>,
    pub(super) policy: Option<&'a Policy>,
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
            device: self.device,
            thing: self.thing,
        };
        // What would be in the way at the end is in the way now, when nothing is made yet.
        let is_written = configuration.look()?;
        let policy = match self.policy {
            Some(policy) => Some((policy, policy.look(self.client).await?)),
            None => None,
        };
        let certificate = self.certificate(report).await?;
        if let Some((policy, there)) = policy {
            self.policy(policy, there, certificate.as_ref(), report).await?;
        }
        self.thing(certificate.as_ref(), report).await?;
        let file = configuration.file().display().to_string();
        if is_written == Outcome::Missing && !self.is_dry {
            configuration.write()?;
            report.step("configuration", Outcome::Made, &file)?;
        } else {
            report.step("configuration", is_written, &file)?;
        }
        if self.device.lacks_pin {
            report
                .note(format!("the PIN is not in {file}; add pin-source=FILE to the URI of the key there"))?;
        }
        Ok((!self.is_dry).then_some(file))
    }

    async fn policy(
        &self,
        policy: &Policy,
        there: Option<Value>,
        certificate: Option<&Registered>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let wanted = certificate.and_then(|certificate| policy.wanted(&certificate.arn));
        policy.settle(self.client, there, wanted, self.is_dry, report).await?;
        let name = &policy.name;
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
                "certificates that act as {} beside this one: {others}; detach those of devices that are gone, or give \
                 each device a name of its own with --thing",
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
