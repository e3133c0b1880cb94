//! The calls of AWS IoT Core that have a quota of their own, and how often each may be made.

use std::{fmt, str::FromStr};

use super::bucket::Bucket;

/// An action of the control API (API reference of AWS IoT).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    RegisterCertificateWithoutCa,
    DescribeCertificate,
    CreateThing,
    AttachThingPrincipal,
    AddThingToThingGroup,
    AttachPolicy,
}

impl Api {
    const ALL: [Self; 6] = [
        Self::RegisterCertificateWithoutCa,
        Self::DescribeCertificate,
        Self::CreateThing,
        Self::AttachThingPrincipal,
        Self::AddThingToThingGroup,
        Self::AttachPolicy,
    ];

    /// As AWS spells it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RegisterCertificateWithoutCa => "RegisterCertificateWithoutCA",
            Self::DescribeCertificate => "DescribeCertificate",
            Self::CreateThing => "CreateThing",
            Self::AttachThingPrincipal => "AttachThingPrincipal",
            Self::AddThingToThingGroup => "AddThingToThingGroup",
            Self::AttachPolicy => "AttachPolicy",
        }
    }

    /// Calls per second of an account that has asked for no more ("AWS IoT Core endpoints and quotas", API throttling
    /// limits).
    pub(super) const fn default_quota(self) -> f64 {
        match self {
            Self::RegisterCertificateWithoutCa | Self::DescribeCertificate => 10.0,
            Self::AttachPolicy => 15.0,
            Self::CreateThing | Self::AttachThingPrincipal | Self::AddThingToThingGroup => 100.0,
        }
    }
}

/// What the user says of one: `CreateThing=200`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quota {
    api: Api,
    /// Calls per second.
    rate: f64,
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rate) = text.split_once('=').ok_or("write it as API=RATE, such as CreateThing=200")?;
        let known = || Api::ALL.map(Api::name).join(", ");
        let api = Api::ALL.into_iter().find(|api| api.name().eq_ignore_ascii_case(name));
        let api = api.ok_or_else(|| format!("no call that is made has this name; there are {}", known()))?;
        match rate.parse::<f64>() {
            Ok(rate) if (0.01..=100_000.0).contains(&rate) => Ok(Self { api, rate }),
            _ => Err("the rate is a number of calls per second, from 0.01 to 100000".into()),
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.api.name(), self.rate)
    }
}

/// A bucket for each.
#[derive(Debug)]
pub(super) struct Quotas {
    register_certificate_without_ca: Bucket,
    describe_certificate: Bucket,
    create_thing: Bucket,
    attach_thing_principal: Bucket,
    add_thing_to_thing_group: Bucket,
    attach_policy: Bucket,
}

impl Quotas {
    /// AWS's defaults, but for what `changed` says; of two about one API the later counts.
    pub(super) fn new(changed: &[Quota]) -> Self {
        let bucket = |api| Bucket::new(rate(api, changed));
        Self {
            register_certificate_without_ca: bucket(Api::RegisterCertificateWithoutCa),
            describe_certificate: bucket(Api::DescribeCertificate),
            create_thing: bucket(Api::CreateThing),
            attach_thing_principal: bucket(Api::AttachThingPrincipal),
            add_thing_to_thing_group: bucket(Api::AddThingToThingGroup),
            attach_policy: bucket(Api::AttachPolicy),
        }
    }

    pub(super) const fn of(&self, api: Api) -> &Bucket {
        match api {
            Api::RegisterCertificateWithoutCa => &self.register_certificate_without_ca,
            Api::DescribeCertificate => &self.describe_certificate,
            Api::CreateThing => &self.create_thing,
            Api::AttachThingPrincipal => &self.attach_thing_principal,
            Api::AddThingToThingGroup => &self.add_thing_to_thing_group,
            Api::AttachPolicy => &self.attach_policy,
        }
    }
}

/// Calls per second of `api`.
pub(super) fn rate(api: Api, changed: &[Quota]) -> f64 {
    changed.iter().rfind(|quota| quota.api == api).map_or(api.default_quota(), |quota| quota.rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_a_name_of_aws_and_a_rate() {
        let quotas: Vec<Quota> =
            ["CreateThing=200", "registercertificatewithoutca=0.5"].map(|text| text.parse().unwrap()).into();
        assert_eq!(rate(Api::CreateThing, &quotas), 200.0);
        assert_eq!(rate(Api::RegisterCertificateWithoutCa, &quotas), 0.5);
        assert_eq!(rate(Api::AttachPolicy, &quotas), 15.0);
        assert_eq!(quotas[1].to_string(), "RegisterCertificateWithoutCA=0.5");
        for text in ["CreateThing", "CreateThing=", "CreateThing=0", "CreateThing=NaN", "CreateThing=-1"] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
        assert!("DeleteThing=1".parse::<Quota>().unwrap_err().contains("AttachThingPrincipal"));
    }
}
