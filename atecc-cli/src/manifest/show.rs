//! `atecc manifest show`.

use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_cert::der::pem::{LineEnding, encode_string};

use super::{
    element::{Element, Organization},
    error::ManifestError,
    problem::{printable, result},
    source::Source,
    trust::{self, Inspection},
};
use crate::{error::Error, output, session::Session};

/// Show the chips of a manifest, and whether each entry is verified.
///
/// `atecc manifest verify --help` says what that means.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Show all of the entry of the chip with this serial number.
    #[arg(long, value_name = "SERIAL", value_parser = serial_number)]
    serial: Option<String>,
    /// Print JSON for programs, with all keys and certificates.
    #[arg(long)]
    json: bool,
}

/// An entry, as far as it can be read.
#[derive(Debug, Serialize)]
struct Description {
    /// From 1.
    entry: usize,
    serial_number: Option<String>,
    result: &'static str,
    reason: Option<String>,
    /// Whose signature it is.
    log_signer: Option<String>,
    #[serde(flatten)]
    chip: Option<Chip>,
}

#[derive(Debug, Serialize)]
struct Chip {
    version: u64,
    model: String,
    part_number: String,
    group_id: Option<String>,
    manufacturer: Option<String>,
    provisioner: Option<String>,
    distributor: Option<String>,
    provisioned: String,
    keys: Vec<Key>,
    /// SHA-256 of the device's certificate: what AWS IoT names it.
    certificate_id: Option<String>,
    /// The device's certificate and its signer's, in PEM.
    certificates: Option<String>,
}

#[derive(Debug, Serialize)]
struct Key {
    slot: String,
    /// X, then Y, in 128 hexadecimal digits.
    public_key: Option<String>,
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> Result<(), Error> {
    let Arguments { source, serial, json } = arguments;
    let is_meant = |inspection: &Inspection<'_>| match (serial, inspection.serial_number) {
        (None, _) => true,
        (Some(meant), Some(found)) => meant.eq_ignore_ascii_case(found),
        (Some(_), None) => false,
    };
    let look = |entry, inspection: &Inspection<'_>| {
        is_meant(inspection)
            .then(|| describe(entry, inspection))
            .map(|chip| format(&chip, *json, serial.is_some()))
    };
    if *json {
        output::text("[", None)?;
    }
    let mut count = 0_usize;
    let shown = source.inspect(session, *json, look, |_, text, meter| {
        let Some(text) = text else { return Ok(()) };
        let head = match (json, count) {
            (true, 0) => "\n",
            (true, _) => ",\n",
            (false, 0) if serial.is_none() => HEAD,
            _ => "",
        };
        count += 1;
        meter.suspend(|| output::text(&format!("{head}{}", text?), None))
    });
    if *json {
        output::text(if count == 0 { "]\n" } else { "\n]\n" }, None)?;
    }
    shown?;
    match (count, serial) {
        (0, Some(serial_number)) => Err(ManifestError::NoSuchChip {
            path: source.path().into(),
            serial_number: serial_number.clone(),
        }
        .into()),
        (0, None) => Err(ManifestError::Empty { path: source.path().into() }.into()),
        _ => Ok(()),
    }
}

const HEAD: &str = "entry    serial number       part                   provisioned               keys  log signer            result\n";

fn format(description: &Description, json: bool, all: bool) -> Result<String, Error> {
    if json {
        return Ok(serde_json::to_string(description)?);
    }
    Ok(if all { description.paragraph() } else { description.line() })
}

impl Description {
    fn line(&self) -> String {
        let (part, provisioned, keys) = self.chip.as_ref().map_or(("-", "-", 0), |chip| {
            (chip.part_number.as_str(), chip.provisioned.as_str(), chip.keys.len())
        });
        let or_none = |text: &Option<String>| printable(text.as_deref().unwrap_or("-"));
        format!(
            "{:<8} {:<19.40} {:<22} {:<25} {:<5} {:<21} {}\n",
            self.entry,
            or_none(&self.serial_number),
            printable(part),
            printable(provisioned),
            keys,
            or_none(&self.log_signer),
            self.result
        )
    }

    fn paragraph(&self) -> String {
        let mut fields = vec![
            ("entry".to_owned(), Some(self.entry.to_string())),
            ("serial number".into(), self.serial_number.clone()),
            ("result".into(), Some(self.result.into())),
            ("reason".into(), self.reason.clone()),
            ("log signer".into(), self.log_signer.clone()),
        ];
        if let Some(chip) = &self.chip {
            fields.extend([
                ("part".into(), Some(chip.part_number.clone())),
                ("model".into(), Some(chip.model.clone())),
                ("format version".into(), Some(chip.version.to_string())),
                ("group".into(), chip.group_id.clone()),
                ("manufacturer".into(), chip.manufacturer.clone()),
                ("provisioner".into(), chip.provisioner.clone()),
                ("distributor".into(), chip.distributor.clone()),
                ("provisioned".into(), Some(chip.provisioned.clone())),
                ("certificate id".into(), chip.certificate_id.clone()),
            ]);
            let key = |key: &Key| {
                let value = key.public_key.clone().unwrap_or_else(|| "unreadable".into());
                (format!("key {}", key.slot), Some(value))
            };
            fields.extend(chip.keys.iter().map(key));
        }
        let lines = fields
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{:<16} {}\n", printable(&name), printable(&value?))));
        let certificates = self.chip.as_ref().and_then(|chip| chip.certificates.as_deref());
        lines.collect::<String>() + certificates.unwrap_or_default()
    }
}

fn describe(entry: usize, inspection: &Inspection<'_>) -> Description {
    let standing = &inspection.standing;
    Description {
        entry,
        serial_number: inspection.serial_number.map(str::to_owned),
        result: result(standing.as_ref().map(|standing| *standing).map_err(|_| ())),
        reason: match standing {
            Ok(trust::Standing::Verified) => None,
            Ok(standing) => Some(standing.to_string()),
            Err(refusal) => Some(refusal.to_string()),
        },
        log_signer: inspection.log_signer.map(str::to_owned),
        chip: inspection.element.map(chip),
    }
}

fn chip(element: &Element<'_>) -> Chip {
    let chain = element.keys().iter().find(|key| key.x5c.is_some()).and_then(|key| trust::chain(key).ok());
    let pem = |der: &Vec<u8>| encode_string("CERTIFICATE", LineEnding::LF, der).unwrap_or_default();
    let organization = |organization: &Option<Organization<'_>>| {
        organization.as_ref().map(|organization| match &organization.organizational_unit_name {
            Some(unit) => format!("{}, {unit}", organization.organization_name),
            None => organization.organization_name.clone().into(),
        })
    };
    Chip {
        version: element.version,
        model: element.model.clone().into(),
        part_number: element.part_number.clone().into(),
        group_id: element.group_id.clone().map(Into::into),
        manufacturer: organization(&element.manufacturer),
        provisioner: organization(&element.provisioner),
        distributor: organization(&element.distributor),
        provisioned: element.provisioning_timestamp.clone().into(),
        keys: element
            .keys()
            .iter()
            .map(|key| Key {
                slot: key.kid.clone().into(),
                public_key: key.coordinates().map(|coordinates| output::hex(&coordinates)),
            })
            .collect(),
        certificate_id: chain.as_ref().map(|[device, _]| output::hex(&Sha256::digest(device))),
        certificates: chain.as_ref().map(|[device, signer]| pem(device) + &pem(signer)),
    }
}

/// Serial numbers are printed by others with spaces or capitals.
fn serial_number(text: &str) -> Result<String, String> {
    let is_one = text.len() == 18 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one
        .then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "a serial number has 18 hexadecimal digits".into())
}
