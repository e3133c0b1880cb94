//! Who is registered: a key, its certificate, and the proof that they belong together.

use std::{fmt, path::Path, sync::Arc};

use atecc::certificate::MICROCHIP;
use atecc_token::DeviceSpec;
use identity::{Identity, Key, KeySource};
use sha2::{Digest, Sha256};
use x509_cert::{
    Version,
    der::pem::{LineEnding, encode_string},
};

use super::{Arguments, RegisterError, certificate::Method, chain, files};
use crate::{error::Error, output, session::Session};

/// Lines of agent.toml.
pub(super) type Settings = Vec<(&'static str, toml::Value)>;

/// A device that shall become a thing.
pub(super) struct Device {
    /// What signs; `None`: AWS makes the key.
    pub(super) key: Option<Arc<Key>>,
    /// Its certificate; `None`: AWS issues it.
    pub(super) certificate: Option<Certificate>,
    /// `{common_name}` in the thing's name.
    pub(super) common_name: Option<String>,
    /// Where agent.toml says that both are. A PIN is not in it.
    pub(super) settings: Settings,
    /// Whether a PIN was left out.
    pub(super) lacks_pin: bool,
}

/// A certificate that is there before AWS is asked.
pub(super) struct Certificate {
    /// It alone, in PEM.
    pub(super) pem: String,
    /// What AWS calls it: the SHA-256 of its DER.
    pub(super) id: String,
    /// That of its issuer, in PEM, if the chain has it.
    pub(super) issuer: Option<String>,
    /// How far it is believed.
    pub(super) trust: Trust,
}

/// Who vouches for the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Microchip.
    Microchip,
    /// The test CA of emulated chips, whose key everybody has.
    TestAuthority,
    /// A root that the user named.
    Root(String),
    /// Nobody: no root was named, and it is not Microchip's.
    Nobody,
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Microchip => f.write_str("verified up to Microchip's root"),
            Self::TestAuthority => f.write_str(
                "verified up to the test root of emulated chips, whose key is public: for trials only",
            ),
            Self::Root(file) => write!(f, "verified up to {file}"),
            Self::Nobody => f.write_str("not verified, since no --root was given"),
        }
    }
}

impl Device {
    /// Opens the key and verifies its certificate.
    pub(super) fn open(session: &mut Session, arguments: &Arguments) -> Result<Self, Error> {
        match arguments.method {
            Method::AwsKey => Ok(Self::with_key_of_aws()),
            Method::Csr => Self::without_certificate(session, arguments),
            Method::WithoutCa | Method::Ca => Self::with_certificate(session, arguments),
        }
    }

    fn with_certificate(session: &mut Session, arguments: &Arguments) -> Result<Self, Error> {
        let (key, mut settings) = open_key(session, arguments)?;
        let file = arguments.certificate.as_deref();
        let identity = Identity::with_key(key, file).map_err(RegisterError::Key)?;
        if let Some(file) = file {
            settings.push(("certificate_file", absolute(file)?.into()));
        }
        let pem = |der: &[u8]| {
            encode_string("CERTIFICATE", LineEnding::LF, der).map_err(x509_cert::der::Error::from)
        };
        let mut chain = identity.chain().iter();
        let certificate = Certificate {
            pem: pem(chain.next().map(Vec::as_slice).unwrap_or_default())?,
            id: certificate_id(&identity),
            issuer: chain.next().map(|der| pem(der)).transpose()?,
            trust: trust(&identity, arguments)?,
        };
        Ok(Self {
            key: Some(Arc::clone(identity.key())),
            certificate: Some(certificate),
            common_name: identity.thing_name(),
            settings,
            lacks_pin: lacks_pin(arguments),
        })
    }

    fn without_certificate(session: &mut Session, arguments: &Arguments) -> Result<Self, Error> {
        let (key, mut settings) = open_key(session, arguments)?;
        settings.push(("certificate_file", files::CERTIFICATE.into()));
        // The name that the chip's own certificate gives it.
        let common_name = key.serial_number().map(|serial| format!("sn{serial}"));
        let lacks_pin = lacks_pin(arguments);
        Ok(Self { key: Some(key), certificate: None, common_name, settings, lacks_pin })
    }

    fn with_key_of_aws() -> Self {
        let settings = vec![("key", files::KEY.into()), ("certificate_file", files::CERTIFICATE.into())];
        Self { key: None, certificate: None, common_name: None, settings, lacks_pin: false }
    }

    /// Has the key sign a challenge that was never signed before. [`Key::sign`] verifies the signature with the public
    /// key, which is that of the certificate.
    pub(super) fn prove_possession(&self) -> Result<(), RegisterError> {
        let Some(key) = &self.key else { return Ok(()) };
        let mut challenge =
            *b"atecc register: possession of the key, challenge ................................";
        let random = challenge.len() - 32;
        getrandom::fill(&mut challenge[random..])
            .map_err(|error| RegisterError::Random(error.to_string()))?;
        let scheme = key.schemes().first().ok_or(RegisterError::NoScheme)?;
        key.sign(*scheme, &challenge).map(drop).map_err(RegisterError::Possession)
    }
}

/// What AWS calls the certificate of `identity`: the SHA-256 of its DER.
pub(super) fn certificate_id(identity: &Identity) -> String {
    output::hex(&Sha256::digest(identity.chain().first().map(Vec::as_slice).unwrap_or_default()))
}

/// The key, and how agent.toml names it.
fn open_key(session: &mut Session, arguments: &Arguments) -> Result<(Arc<Key>, Settings), Error> {
    let (key, source) = match (&arguments.key, arguments.slot) {
        (Some(typed), _) => {
            let source: KeySource = typed.parse().map_err(RegisterError::KeySource)?;
            (Key::open(&source), source)
        }
        (None, Some(slot)) => (Key::of_slot(&session.token()?, slot), KeySource::Chip(session.spec()?)),
        (None, None) => (Key::of_token(&session.token()?), KeySource::Chip(session.spec()?)),
    };
    let mut settings = vec![match &source {
        KeySource::Chip(spec) => ("device", absolute_spec(spec)?.to_string().into()),
        KeySource::File(path) => ("key", absolute(path)?.into()),
        other => ("key", other.to_string().into()),
    }];
    settings.extend(arguments.slot.map(|slot| ("slot", i64::from(slot.number()).into())));
    Ok((Arc::new(key.map_err(RegisterError::Key)?), settings))
}

/// Whether the URI of the key has a PIN in it, which is written nowhere.
fn lacks_pin(arguments: &Arguments) -> bool {
    arguments.key.as_ref().is_some_and(|key| key.contains("pin-value="))
}

/// Verifies the chain. What the chip itself stores was verified when it was read, with the root of its kind.
fn trust(identity: &Identity, arguments: &Arguments) -> Result<Trust, Error> {
    if let Some(path) = &arguments.root {
        let roots = chain::read(path)?;
        if identity.leaf().tbs_certificate().version() == Version::V1 {
            return Err(RegisterError::FirstVersion.into());
        }
        chain::verify(identity, &roots)
            .map_err(|error| RegisterError::Chain { root: path.clone(), problem: error.to_string() })?;
        return Ok(Trust::Root(path.display().to_string()));
    }
    if arguments.key.is_none() && arguments.certificate.is_none() {
        return Ok(if identity.is_emulated() { Trust::TestAuthority } else { Trust::Microchip });
    }
    let microchip = MICROCHIP.root_certificate.into();
    Ok(if chain::verify(identity, &[microchip]).is_ok() { Trust::Microchip } else { Trust::Nobody })
}

/// The same chip from any folder.
fn absolute_spec(spec: &DeviceSpec) -> Result<DeviceSpec, Error> {
    let mut spec = spec.clone();
    if let DeviceSpec::Emulator { path, .. }
    | DeviceSpec::EmulatedBus { socket: path, .. }
    | DeviceSpec::Socket { path } = &mut spec
    {
        *path = absolute(path)?.into();
    }
    Ok(spec)
}

/// The same file from any folder.
fn absolute(path: &Path) -> Result<String, Error> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|source| Error::InputFile { path: path.into(), source })?;
    Ok(absolute.display().to_string())
}
