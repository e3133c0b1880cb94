//! `atecc manifest create`.

mod log_key;

use std::path::PathBuf;

use atecc::{Slot, zone::KeyType};
use atecc_token::{DeviceSpec, Token};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use log_key::LogKey;
use serde::Serialize;

use super::{error::ManifestError, refusal::CertificateProblem, x509::Parsed};
use crate::{error::Error, output, session::Session};

/// Make a manifest for chips at hand, in Microchip's format, signed with a log signer's key of yours.
///
/// What is read from the chip is public: serial number, public keys, certificates. Whoever is to believe the
/// manifest needs the log signer's certificate (`atecc manifest verify --log-signer CERT`). To make one with
/// openssl: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365
/// -subj "/O=Example/CN=Example Log Signer" -keyout log.key -out log.pem`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The chips, as --device names them; without any, the one of --device.
    #[arg(value_name = "DEVICE")]
    devices: Vec<DeviceSpec>,
    /// The log signer's private key, a P-256 key in PEM without passphrase.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    key: PathBuf,
    /// The log signer's certificate (PEM or DER), which is for that key.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    certificate: PathBuf,
    /// The part number in the entries, such as ATECC608B-TNGTLS; by default what the chip tells of it.
    #[arg(long, value_name = "NAME")]
    part_number: Option<String>,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

/// An entry; the members are in Microchip's order.
#[derive(Serialize)]
struct Entry {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    unique_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Element<'a> {
    version: u8,
    model: &'a str,
    part_number: &'a str,
    manufacturer: &'a Organization,
    provisioner: &'a Organization,
    distributor: &'a Organization,
    provisioning_timestamp: String,
    unique_id: &'a str,
    public_key_set: KeySet,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    organization_name: String,
    organizational_unit_name: String,
}

#[derive(Serialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

#[derive(Serialize)]
struct Jwk {
    kid: String,
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<[String; 2]>,
}

pub(super) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let log_key = LogKey::read(&arguments.key, &arguments.certificate)?;
    output::check_writable(arguments.out.as_deref())?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |token: &Token| {
        let entry = entry(token, &log_key, arguments.part_number.as_deref())?;
        if entries.iter().any(|other| other.header.unique_id == entry.header.unique_id) {
            return Err(ManifestError::Twice { serial_number: entry.header.unique_id }.into());
        }
        entries.push(entry);
        Ok::<(), Error>(())
    };
    if arguments.devices.is_empty() {
        add(&*session.token()?)?;
    }
    for spec in &arguments.devices {
        session.check_cancelled()?;
        add(&Token::open(spec)?)?;
    }
    output::text(&(serde_json::to_string_pretty(&entries)? + "\n"), arguments.out.as_deref())
}

fn entry(token: &Token, log_key: &LogKey, part_number: Option<&str>) -> Result<Entry, Error> {
    let certificates = token.certificates()?;
    let unreadable = |problem: CertificateProblem| ManifestError::Certificate {
        path: format!("chip {}", token.serial_number()).into(),
        problem,
    };
    let device = Parsed::new(&certificates.device).map_err(unreadable)?;
    let unique_id = token.serial_number().to_string().to_ascii_lowercase();
    let model = token.revision().part();
    let maker = Organization {
        organization_name: device.organization().unwrap_or_else(|| "unknown".into()),
        // An emulated chip has not been to Microchip.
        organizational_unit_name: if token.is_emulated() { "EMULATOR" } else { "Secure Products Group" }
            .into(),
    };
    let distributor = Organization {
        organization_name: log_key.organization.clone(),
        organizational_unit_name: log_key.name.clone(),
    };
    let x5c = [&certificates.device, &certificates.signer].map(|der| Base64::encode_string(der));
    let payload = serde_json::to_string(&Element {
        version: 1,
        model,
        part_number: part_number.unwrap_or(&format!("{model}-{}", product(&device))),
        manufacturer: &maker,
        provisioner: &maker,
        distributor: &distributor,
        provisioning_timestamp: device.not_before(),
        unique_id: &unique_id,
        public_key_set: KeySet { keys: keys(token, x5c)? },
    })?;
    let protected = Base64UrlUnpadded::encode_string(log_key.protected_header().as_bytes());
    let payload = Base64UrlUnpadded::encode_string(payload.as_bytes());
    let signature = log_key.sign(format!("{protected}.{payload}").as_bytes())?;
    Ok(Entry { payload, protected, header: Header { unique_id }, signature })
}

/// The name behind that of the chip; TrustFLEX certificates have no second name, and Trust&GO's of template 2 tell
/// themselves by the subject (docs/manifest.md).
fn product(device: &Parsed<'_>) -> &'static str {
    if device.has_alternative_name() || device.subject().to_string().contains(" ATECC") {
        "TNGTLS"
    } else {
        "TFLXTLS"
    }
}

/// The public key of each private key in slots 0 to 4, which are those that manifests have.
fn keys(token: &Token, chain: [String; 2]) -> Result<Vec<Jwk>, Error> {
    let configuration = token.configuration()?;
    let mut chain = Some(chain);
    let has_key = |slot: &Slot| {
        let key = configuration.key_properties(*slot);
        key.private() && key.pub_info() && key.key_type() == KeyType::P256
    };
    let slots = (0..=4).filter_map(Slot::new).filter(has_key);
    let jwk = |slot: Slot| {
        let key = token.public_key(slot)?;
        let (x, y) = key.as_bytes().split_at(32);
        Ok(Jwk {
            kid: slot.number().to_string(),
            kty: "EC",
            crv: "P-256",
            x: Base64UrlUnpadded::encode_string(x),
            y: Base64UrlUnpadded::encode_string(y),
            // Slot 0 comes first, and is the one with the certificate.
            x5c: chain.take(),
        })
    };
    slots.map(jwk).collect()
}
