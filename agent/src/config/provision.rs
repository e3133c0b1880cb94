//! `[provision]`: how a gateway without a certificate gets one.

mod typed;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use identity::KeySource;
use serde::Deserialize;

use super::Template;

pub(super) use typed::{Home, Typed};

/// How a gateway without a certificate gets one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provision {
    /// Where it is kept how far that has come: the folder of the outbox.
    pub folder: PathBuf,
    /// Who does it.
    pub way: Way,
    /// Where the private key comes from.
    pub key: KeyOrigin,
    /// How old a certificate of Krypton's may become until it is replaced together with its key.
    pub rotate: Option<Duration>,
    /// Whether the thing is called as the answer says, because agent.toml does not.
    pub names_thing: bool,
    /// Whether the MQTT client id is the one of the answer, because agent.toml has none.
    pub names_client: bool,
}

/// Who gives the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// AWS IoT's fleet provisioning, over MQTT.
    Fleet(Fleet),
    /// SORACOM Krypton alone: its key and its certificate are the gateway's.
    Krypton(Krypton),
}

/// Fleet provisioning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fleet {
    /// The name of the provisioning template.
    pub template: String,
    /// What the gateway proves that it may ask with.
    pub claim: Claim,
    /// What the template is told of the gateway.
    pub parameters: BTreeMap<String, Template>,
    /// How requests and answers are written.
    pub format: Format,
}

/// What a gateway that is nobody yet proves that it may ask with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// A claim certificate that many devices share, and its key.
    Shared {
        /// Where the key is.
        key: KeySource,
        /// PEM file with the certificate; without it, where the key is.
        certificate: Option<PathBuf>,
    },
    /// A claim that a trusted user made for this device: the answer of `CreateProvisioningClaim` in a file.
    TrustedUser(PathBuf),
    /// What Krypton answers to this SIM.
    Krypton(Krypton),
}

/// Where the gateway's private key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// It stays where it is; the certificate is made from a request that it signs.
    Own {
        /// Whether a new key is made in the slot first.
        new: bool,
    },
    /// The server makes it and sends it.
    Issued,
}

/// How messages of fleet provisioning are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// JavaScript Object Notation.
    #[default]
    Json,
    /// Concise Binary Object Representation (RFC 8949).
    Cbor,
}

/// SORACOM Krypton.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Krypton {
    /// How it knows the SIM.
    pub access: Access,
    /// The beginning of its URLs.
    pub url: String,
    /// PEM file with the CA certificates for it, instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// `requestParameters` of each request.
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

/// How Krypton knows the SIM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// By the line: this machine is on line through that SIM.
    Cellular,
    /// By an authentication with the SIM, over any line.
    Sim {
        /// The program, with its first arguments, that asks the SIM.
        command: Vec<String>,
        /// The SIM's IMSI; without it the program is asked.
        imsi: Option<String>,
    },
}
