//! The registry of AWS IoT Core as far as registration calls it: what it keeps, what its quotas allow, and its bad days.

use std::{
    cell::{Ref, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use x509_cert::der::pem;

use super::{
    super::{
        super::chip::Chip,
        api::Api,
        clock::Clock,
        registry::{CallError, Description, Registration, Registry},
    },
    time::Simulated,
};
use crate::output;

/// How often something goes wrong, from 0 to 1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// ThrottlingException, whatever the quota.
    pub(super) throttled: f64,
    /// The answer to a call that was carried out does not arrive.
    pub(super) lost: f64,
    /// The server fails before it does anything.
    pub(super) failed: f64,
}

#[derive(Clone)]
pub(super) struct Cloud(Rc<RefCell<State>>, Simulated);

struct State {
    faults: Faults,
    random: fastrand::Rng,
    certificates: HashMap<String, Certificate>,
    /// The certificates of each thing.
    things: HashMap<String, Vec<String>>,
    members: Vec<String>,
    /// What is left in the bucket of each call, and since when.
    tokens: HashMap<&'static str, (f64, Duration)>,
    calls: usize,
    calls_until_cut: usize,
    throttled_by_chance: usize,
    throttled_by_quota: usize,
    refused: fn(&str) -> bool,
}

struct Certificate {
    der: Vec<u8>,
    status: &'static str,
    /// How often it was registered anew.
    registered: usize,
}

impl Cloud {
    pub(super) fn new(faults: Faults, seed: u64) -> Self {
        Self(
            Rc::new(RefCell::new(State {
                faults,
                random: fastrand::Rng::with_seed(seed),
                certificates: HashMap::new(),
                things: HashMap::new(),
                members: Vec::new(),
                tokens: HashMap::new(),
                calls: 0,
                calls_until_cut: usize::MAX,
                throttled_by_chance: 0,
                throttled_by_quota: 0,
                refused: |_| false,
            })),
            Simulated::new(),
        )
    }

    /// The time there, which is that of the run too.
    pub(super) const fn clock(&self) -> &Simulated {
        &self.1
    }

    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(super) fn throttled_by_chance(&self) -> usize {
        self.state().throttled_by_chance
    }

    pub(super) fn throttled_by_quota(&self) -> usize {
        self.state().throttled_by_quota
    }

    /// After so many calls nobody answers any more.
    pub(super) fn cut_after(&self, calls: usize) {
        self.0.borrow_mut().calls_until_cut = calls;
    }

    /// Things that it does not want.
    pub(super) fn refuse(&self, refused: fn(&str) -> bool) {
        self.0.borrow_mut().refused = refused;
    }

    /// Somebody has registered its certificate and switched it off.
    pub(super) fn switch_off(&self, chip: &Chip) {
        let certificate = Certificate { der: chip.certificate.clone(), status: "INACTIVE", registered: 1 };
        self.0.borrow_mut().certificates.insert(chip.id(), certificate);
    }

    #[track_caller]
    pub(super) fn assert_each_registered_once(&self, entries: usize) {
        let state = self.state();
        assert_eq!((state.certificates.len(), state.things.len()), (entries, entries));
        let mut members = state.members.clone();
        members.sort();
        members.dedup();
        assert_eq!(members.len(), entries);
        for entry in 1..=entries {
            let chip = super::chip(entry);
            let certificate = &state.certificates[&chip.id()];
            assert_eq!((certificate.registered, certificate.status), (1, "ACTIVE"), "{entry}");
            assert_eq!(state.things[&chip.thing], [arn(&chip.id())], "{entry}");
        }
    }

    fn state(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    /// A call, which takes 20 to 200 ms, and does `work` at some moment of them.
    async fn call<T>(
        &self,
        api: Api,
        work: impl FnOnce(&mut State) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let half = Duration::from_millis(self.0.borrow_mut().random.u64(10..100));
        self.1.sleep(half).await;
        let answer = self.0.borrow_mut().answer(api, self.1.now(), work);
        // Who is killed meanwhile does not know what was done.
        self.1.sleep(half).await;
        answer
    }
}

impl State {
    fn answer<T>(
        &mut self,
        api: Api,
        now: Duration,
        work: impl FnOnce(&mut Self) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        if self.calls >= self.calls_until_cut {
            return Err(CallError::Unreachable("nobody answers".into()));
        }
        self.calls += 1;
        let Faults { throttled, lost, failed } = self.faults;
        let chance = self.random.f64();
        if chance < throttled {
            self.throttled_by_chance += 1;
            return Err(CallError::Throttled("ThrottlingException".into()));
        }
        if !self.take_token(api, now) {
            self.throttled_by_quota += 1;
            return Err(CallError::Throttled("Rate exceeded".into()));
        }
        if chance < throttled + failed {
            return Err(CallError::Passing("InternalFailureException".into()));
        }
        let answer = work(self);
        match chance < throttled + failed + lost {
            true => Err(CallError::Unreachable("connection reset".into())),
            false => answer,
        }
    }

    /// One second's worth of calls may come at once.
    fn take_token(&mut self, api: Api, now: Duration) -> bool {
        let rate = api.default_quota();
        let (tokens, since) = self.tokens.entry(api.name()).or_insert((rate, now));
        *tokens = (*tokens + (now - *since).as_secs_f64() * rate).min(rate);
        *since = now;
        let has = *tokens >= 1.0;
        if has {
            *tokens -= 1.0;
        }
        has
    }
}

fn arn(id: &str) -> String {
    format!("arn:aws:iot:eu-west-1:000000000000:cert/{id}")
}

impl Registry for Cloud {
    async fn register_certificate(&self, text: &str) -> Result<Registration, CallError> {
        let (_, der) = pem::decode_vec(text.as_bytes()).unwrap();
        let id = output::hex(&<sha2::Sha256 as sha2::Digest>::digest(&der));
        self.call(Api::RegisterCertificateWithoutCa, move |state| {
            if state.certificates.contains_key(&id) {
                return Ok(Registration::AlreadyThere { arn: arn(&id), id });
            }
            let arn = arn(&id);
            state.certificates.insert(id, Certificate { der, status: "ACTIVE", registered: 1 });
            Ok(Registration::New { arn })
        })
        .await
    }

    async fn describe_certificate(&self, id: &str) -> Result<Description, CallError> {
        self.call(Api::DescribeCertificate, |state| {
            let Certificate { der, status, .. } = &state.certificates[id];
            let pem = pem::encode_string("CERTIFICATE", pem::LineEnding::LF, der).unwrap();
            Ok(Description { pem, status: (*status).into() })
        })
        .await
    }

    async fn create_thing(&self, name: &str) -> Result<(), CallError> {
        self.call(Api::CreateThing, |state| {
            if (state.refused)(name) {
                return Err(CallError::Refused("it is refused".into()));
            }
            state.things.entry(name.into()).or_default();
            Ok(())
        })
        .await
    }

    async fn attach_thing_principal(&self, thing: &str, certificate: &str) -> Result<(), CallError> {
        self.call(Api::AttachThingPrincipal, |state| {
            let principals = state.things.get_mut(thing).unwrap();
            if !principals.iter().any(|principal| principal == certificate) {
                principals.push(certificate.into());
            }
            Ok(())
        })
        .await
    }

    async fn add_thing_to_thing_group(&self, thing: &str, group: &str) -> Result<(), CallError> {
        assert_eq!(group, "reel");
        self.call(Api::AddThingToThingGroup, |state| {
            assert!(state.things.contains_key(thing));
            state.members.push(thing.into());
            Ok(())
        })
        .await
    }

    async fn attach_policy(&self, _: &str, _: &str) -> Result<(), CallError> {
        panic!("the policy is the group's");
    }
}
