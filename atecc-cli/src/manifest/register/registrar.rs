//! What is done for one chip, call by call, each as often as it takes.

use std::{cell::RefCell, time::Duration};

use x509_cert::{Certificate, der::DecodePem, der::Encode};

use super::{
    super::chip::Chip,
    api::{Api, Quotas},
    clock::Clock,
    registry::{CallError, Description, Registration, Registry},
    stop::Stop,
};

/// So often a call is made until it is given up. If three of ten calls are throttled, all sixteen are once in 200
/// million calls; the waits in between come to a minute and a half on average.
const ATTEMPTS: u32 = 16;
/// The longest wait before the second attempt; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Registers chips.
#[derive(Debug)]
pub(super) struct Registrar<R, C> {
    registry: R,
    clock: C,
    quotas: Quotas,
    /// The group that things are added to.
    group: Option<String>,
    /// The policy that is attached to each certificate. One of a group is attached before.
    policy: Option<String>,
    stop: Stop,
    random: RefCell<fastrand::Rng>,
}

/// Everything is in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Registered,
    /// The certificate was registered before; what else was missing was added.
    AlreadyThere,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is this chip's.
    Chip(String),
    /// All that follow would fail too.
    Run(String),
    /// It was asked to stop; what is half done will be completed by the next run.
    Stopped,
}

impl<R: Registry, C: Clock> Registrar<R, C> {
    pub(super) fn new(
        registry: R,
        clock: C,
        quotas: Quotas,
        group: Option<String>,
        policy: Option<String>,
        random: fastrand::Rng,
    ) -> Self {
        Self { registry, clock, quotas, group, policy, stop: Stop::new(), random: RefCell::new(random) }
    }

    pub(super) const fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    pub(super) const fn clock(&self) -> &C {
        &self.clock
    }

    pub(super) const fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Does what is not done yet, from `turn` on, which is that of the first call. All calls may be repeated.
    pub(super) async fn register(&self, chip: &Chip, turn: Duration) -> Result<Outcome, Failure> {
        let Self { registry, .. } = self;
        let pem = chip.pem().map_err(Failure::Chip)?;
        let registration = self
            .call_at(turn, Api::RegisterCertificateWithoutCa, async || {
                registry.register_certificate(&pem).await
            })
            .await?;
        let (arn, outcome) = match registration {
            Registration::New { arn } => (arn, Outcome::Registered),
            Registration::AlreadyThere { id, arn } => {
                let description = self
                    .call(Api::DescribeCertificate, async || registry.describe_certificate(&id).await)
                    .await?;
                check_there(chip, &id, &description).map_err(Failure::Chip)?;
                (arn, Outcome::AlreadyThere)
            }
        };
        let Chip { thing, .. } = chip;
        self.call(Api::CreateThing, async || registry.create_thing(thing).await).await?;
        self.call(Api::AttachThingPrincipal, async || registry.attach_thing_principal(thing, &arn).await)
            .await?;
        if let Some(group) = &self.group {
            self.call(Api::AddThingToThingGroup, async || {
                registry.add_thing_to_thing_group(thing, group).await
            })
            .await?;
        }
        if let Some(policy) = &self.policy {
            self.call(Api::AttachPolicy, async || registry.attach_policy(policy, &arn).await).await?;
        }
        Ok(outcome)
    }

    async fn call<T>(&self, api: Api, attempt: impl AsyncFn() -> Result<T, CallError>) -> Result<T, Failure> {
        self.call_at(self.quotas.of(api).reserve(self.clock.now()), api, attempt).await
    }

    /// Makes a call at the pace of its quota until it works, or is refused, or was made too often.
    async fn call_at<T>(
        &self,
        mut turn: Duration,
        api: Api,
        attempt: impl AsyncFn() -> Result<T, CallError>,
    ) -> Result<T, Failure> {
        let bucket = self.quotas.of(api);
        let mut attempts = 0;
        loop {
            self.unless_stopped(self.clock.sleep_until(turn)).await?;
            attempts += 1;
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let is_last = attempts == ATTEMPTS;
            let say = |text: &str| format!("{}: {text}", api.name());
            match &error {
                CallError::Refused(text) => return Err(Failure::Chip(say(text))),
                CallError::Denied(text) => return Err(Failure::Run(say(text))),
                CallError::Unreachable(text) if is_last => return Err(Failure::Run(say(text))),
                CallError::Throttled(text) | CallError::Passing(text) if is_last => {
                    return Err(Failure::Chip(say(&format!("{text} ({attempts} attempts)"))));
                }
                CallError::Throttled(_) => bucket.give_back(),
                CallError::Passing(_) | CallError::Unreachable(_) => {}
            }
            self.unless_stopped(self.clock.sleep(self.wait(attempts))).await?;
            turn = bucket.reserve(self.clock.now());
        }
    }

    /// "Full jitter": anything up to a limit that doubles, so that those who were refused together do not come back
    /// together (AWS Architecture Blog, "Exponential Backoff And Jitter").
    fn wait(&self, attempts: u32) -> Duration {
        let limit = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        limit.mul_f64(self.random.borrow_mut().f64())
    }

    async fn unless_stopped(&self, wait: impl Future<Output = ()>) -> Result<(), Failure> {
        tokio::select! {
            biased;
            () = self.stop.requested() => Err(Failure::Stopped),
            () = wait => Ok(()),
        }
    }
}

/// Whether what is registered under this id is the chip's certificate, and in use.
fn check_there(chip: &Chip, id: &str, description: &Description) -> Result<(), String> {
    let registered = Certificate::from_pem(&description.pem).and_then(|certificate| certificate.to_der());
    // AWS names a certificate by the SHA-256 of its DER.
    if !id.eq_ignore_ascii_case(&chip.id()) && registered.ok().as_ref() != Some(&chip.certificate) {
        return Err(format!(
            "another certificate is registered in its place, with id {id}; look what it is \
             (`aws iot describe-certificate --certificate-id {id}`)"
        ));
    }
    match description.status.as_str() {
        "ACTIVE" => Ok(()),
        status => Err(format!(
            "its certificate is registered and {status}, and what somebody switched off stays off; to switch it on: \
             `aws iot update-certificate --certificate-id {id} --new-status ACTIVE`, then run this again"
        )),
    }
}
