//! The registration of a CA in one account and region.

use super::{authority::Issuer, verification};
use crate::{
    aws::{Authority, Client, Entrance, Registered},
    error::Error,
    register::{Outcome, Policy, Report},
};

/// What is to be done in one place.
pub(super) struct Work<'a> {
    pub(super) client: &'a Client,
    pub(super) issuer: &'a Issuer,
    pub(super) entrance: &'a Entrance,
    pub(super) is_dry: bool,
}

impl Work<'_> {
    /// Does what is missing. `policy` is the one that the template names.
    pub(super) async fn run(&self, policy: Option<&Policy>, report: &mut Report) -> Result<(), Error> {
        let there = match policy {
            Some(policy) => Some((policy, policy.look(self.client).await?)),
            None => None,
        };
        let registered = self.authority(report).await?;
        if let Some((policy, there)) = there {
            let wanted = registered.as_ref().and_then(|registered| policy.wanted(&registered.arn));
            policy.settle(self.client, there, wanted, self.is_dry, report).await?;
        }
        if let (Entrance::Registers, Some(registered)) = (self.entrance, &registered) {
            report.note(format!(
                "a device that connects is registered and waits; its event comes on \
                 $aws/events/certificates/registered/{}",
                registered.id
            ))?;
        }
        Ok(())
    }

    /// The CA, registered and as it shall be; `None`: it is not, and this is a dry run.
    async fn authority(&self, report: &mut Report) -> Result<Option<Registered>, Error> {
        let what = format!("{} ({})", self.issuer.id, describe(self.entrance));
        let known = self.client.authority(&self.issuer.id, self.entrance).await?;
        let (registered, outcome) = match known {
            Some((registered, true)) => (registered, Outcome::Found),
            Some((registered, false)) if self.is_dry => (registered, Outcome::Missing),
            Some((registered, false)) => {
                self.client.update_authority(&registered.id, self.entrance).await?;
                (registered, Outcome::Made)
            }
            None if self.is_dry => {
                report.step("authority", Outcome::Missing, &what)?;
                return Ok(None);
            }
            None => {
                let authority = self.proven().await?;
                let (registered, was_there) = self.client.register_authority(&authority).await?;
                (registered, if was_there { Outcome::Found } else { Outcome::Made })
            }
        };
        report.step("authority", outcome, &what)?;
        Ok(Some(registered))
    }

    /// The CA, in mode `default` with the proof that this account may have it.
    async fn proven(&self) -> Result<Authority, Error> {
        let Issuer { certificate, pem, key, .. } = self.issuer;
        let verification = match key {
            Some(key) => {
                let code = self.client.registration_code().await?;
                Some(verification::certificate(certificate, key, &code)?)
            }
            None => None,
        };
        Ok(Authority { pem: pem.clone(), verification, entrance: self.entrance.clone() })
    }
}

fn describe(entrance: &Entrance) -> &'static str {
    match entrance {
        Entrance::Closed => "each of its devices is registered first",
        Entrance::Registers => "its devices are registered when they connect, and wait",
        Entrance::Provisions { .. } => "its devices become things when they connect",
    }
}
