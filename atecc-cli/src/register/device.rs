//! Who is registered: a key, its certificate, and the proof that they belong together.

use std::{fmt, path::Path};

use atecc::certificate::MICROCHIP;
use atecc_token::DeviceSpec;
use identity::{Identity, KeySource};
use sha2::{Digest, Sha256};
use x509_cert::der::pem::{LineEnding, encode_string};

use super::{Arguments, RegisterError, chain};
use crate::{error::Error, output, session::Session};

/// A device that shall become a thing.
pub(super) struct Device {
    pub(super) identity: Identity,
    /// How agent.toml names the key.
    pub(super) key: KeyLine,
    /// How far its certificate is believed.
    pub(super) trust: Trust,
}

/// Where agent.toml finds key and certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyLine {
    /// `device` or `key`.
    pub(super) name: &'static str,
    /// Its value. A PIN is not in it.
    pub(super) value: String,
    /// Whether a PIN was left out.
    pub(super) lacks_pin: bool,
    /// `certificate_file`.
    pub(super) certificate_file: Option<String>,
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
        let certificate = arguments.certificate.as_deref();
        let (identity, mut key) = match &arguments.key {
            None => {
                let token = session.token()?;
                let identity = Identity::of_token(&token, certificate).map_err(RegisterError::Key)?;
                (identity, KeyLine::of(&KeySource::Chip(session.spec()?), false)?)
            }
            Some(typed) => {
                let source: KeySource = typed.parse().map_err(RegisterError::KeySource)?;
                let identity = Identity::open(&source, certificate).map_err(RegisterError::Key)?;
                (identity, KeyLine::of(&source, typed.contains("pin-value="))?)
            }
        };
        key.certificate_file = certificate.map(absolute).transpose()?;
        let trust = trust(&identity, arguments)?;
        Ok(Self { identity, key, trust })
    }

    /// Has the key sign a challenge that was never signed before. [`Identity::sign`] verifies the signature with the
    /// key of the certificate.
    pub(super) fn prove_possession(&self) -> Result<(), RegisterError> {
        let mut challenge =
            *b"atecc register: possession of the key, challenge ................................";
        let random = challenge.len() - 32;
        getrandom::fill(&mut challenge[random..])
            .map_err(|error| RegisterError::Random(error.to_string()))?;
        let scheme = self.identity.schemes().first().ok_or(RegisterError::NoScheme)?;
        self.identity.sign(*scheme, &challenge).map(drop).map_err(RegisterError::Possession)
    }

    /// The certificate of the key, in PEM.
    pub(super) fn pem(&self) -> Result<String, Error> {
        Ok(encode_string("CERTIFICATE", LineEnding::LF, self.leaf()).map_err(x509_cert::der::Error::from)?)
    }

    /// What AWS calls it: the SHA-256 of its DER.
    pub(super) fn certificate_id(&self) -> String {
        output::hex(&Sha256::digest(self.leaf()))
    }

    fn leaf(&self) -> &[u8] {
        self.identity.chain().first().map(Vec::as_slice).unwrap_or_default()
    }
}

/// Verifies the chain. What the chip itself stores was verified when it was read, with the root of its kind.
fn trust(identity: &Identity, arguments: &Arguments) -> Result<Trust, Error> {
    if let Some(path) = &arguments.root {
        let roots = chain::read(path)?;
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

impl KeyLine {
    fn of(source: &KeySource, lacks_pin: bool) -> Result<Self, Error> {
        let (name, value) = match source {
            KeySource::Chip(spec) => ("device", absolute_spec(spec)?.to_string()),
            KeySource::File(path) => ("key", absolute(path)?),
            other => ("key", other.to_string()),
        };
        Ok(Self { name, value, lacks_pin, certificate_file: None })
    }
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
