//! Where the chips of a manifest go, and what has to be there before the first one.

use std::path::{Path, PathBuf};

use super::{
    Arguments,
    account::Account,
    api::{Api, Quotas, rate},
    clock::SystemClock,
    journal::{Journal, Subject},
    registrar::Registrar,
    report::Report,
    survey::Survey,
};
use crate::{
    aws::{Client, Place},
    error::Error,
    manifest::ManifestError,
    register::Policy,
};

/// What is to be done.
pub(super) struct Plan<'a> {
    arguments: &'a Arguments,
    pub(super) survey: Survey,
    client: Client,
    policy: Option<&'a Policy>,
    pub(super) group: Option<String>,
    pub(super) subject: Subject,
    pub(super) journal: PathBuf,
}

impl<'a> Plan<'a> {
    /// Asks AWS which account this is, and whether a policy that is named is there.
    pub(super) async fn make(
        arguments: &'a Arguments,
        policy: Option<&'a Policy>,
        survey: Survey,
    ) -> Result<Self, Error> {
        let mut clients = arguments.aws.clients().await?;
        let (Some(client), None) = (clients.pop(), clients.pop()) else {
            return Err(ManifestError::OnePlace.into());
        };
        let endpoint = client.data_endpoint().await?;
        let group = (!arguments.no_group).then(|| arguments.group.clone());
        if let Some(policy) = policy
            && policy.look(&client).await?.is_none()
            && policy.is_shipped()
            && group.is_none()
        {
            return Err(ManifestError::PolicyWithoutGroup.into());
        }
        let subject = Subject {
            manifest: survey.digest.clone(),
            thing_name: arguments.thing.to_string(),
            group: group.clone(),
            policy: policy.map(|policy| policy.name.clone()),
            endpoint,
        };
        let journal = match &arguments.journal {
            Some(path) => path.clone(),
            None => beside(arguments.source.path(), &subject.endpoint),
        };
        Ok(Self { arguments, survey, client, policy, group, subject, journal })
    }

    /// Says what would be done.
    pub(super) async fn show(&self, report: &mut Report) -> Result<(), Error> {
        let done = Journal::look(&self.journal, &self.subject)?;
        let mut missing = Vec::new();
        if let Some(policy) = self.policy
            && policy.look(&self.client).await?.is_none()
        {
            missing.push(format!("policy {}", policy.name));
        }
        if let Some(group) = &self.group
            && self.client.thing_group(group).await?.is_none()
        {
            missing.push(format!("group {group}"));
        }
        report.rehearse(self, done, &missing)
    }

    /// Makes what all chips share: the group, and its policy.
    pub(super) async fn prepare(&self) -> Result<Registrar<Account, SystemClock>, Error> {
        let Self { client, policy, .. } = self;
        let group = match &self.group {
            Some(name) => Some(match client.thing_group(name).await? {
                Some(arn) => arn,
                None => client.create_thing_group(name).await?,
            }),
            None => None,
        };
        if let Some(policy) = policy {
            if policy.look(client).await?.is_none() {
                // One that needs the group's ARN has a group, as `make` saw to.
                if let Some(document) = policy.wanted(group.as_deref().unwrap_or_default()) {
                    client.create_policy(&policy.name, &document).await?;
                }
            }
            if let Some(arn) = &group {
                client.attach_policy(&policy.name, arn).await?;
            }
        }
        let of_each = policy.filter(|_| group.is_none()).map(|policy| policy.name.clone());
        let quotas = Quotas::new(&self.arguments.quota);
        let account = Account::new(client.single_attempts());
        Ok(Registrar::new(
            account,
            SystemClock::new(),
            quotas,
            self.group.clone(),
            of_each,
            fastrand::Rng::new(),
        ))
    }

    pub(super) fn place(&self) -> &Place {
        self.client.place()
    }

    /// How long `chips` take if the quotas alone limit, in seconds.
    pub(super) fn seconds(&self, chips: usize) -> f64 {
        let mut calls = vec![Api::RegisterCertificateWithoutCa, Api::CreateThing, Api::AttachThingPrincipal];
        match self.group {
            Some(_) => calls.push(Api::AddThingToThingGroup),
            None => calls.push(Api::AttachPolicy),
        }
        let slowest = calls.into_iter().map(|api| rate(api, &self.arguments.quota)).fold(f64::MAX, f64::min);
        chips as f64 / slowest
    }
}

/// The journal's name if nobody gives one: two accounts or regions have not the same.
fn beside(manifest: &Path, endpoint: &str) -> PathBuf {
    let safe =
        |letter: char| if letter.is_ascii_alphanumeric() || ".-".contains(letter) { letter } else { '_' };
    let endpoint: String = endpoint.chars().map(safe).collect();
    let mut name = manifest.as_os_str().to_owned();
    name.push(format!(".{endpoint}.journal"));
    name.into()
}
