//! `atecc info`.

use std::fmt::Write;

use atecc_token::{Error as TokenError, Token};
use serde::Serialize;
use x509_cert::{Certificate, der::Decode};

use crate::{
    error::Error,
    output,
    session::Session,
    slots::{self, Description},
};

/// Show what the chip is: part, serial number, locks, identity, and what each slot may do.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What is shown, and the JSON document.
#[derive(Serialize)]
struct Info {
    device: String,
    part: &'static str,
    emulated: bool,
    serial_number: String,
    revision: String,
    i2c_address: u8,
    configuration_locked: bool,
    data_locked: bool,
    /// Of the key that identifies the chip; nothing if it has none.
    public_key: Option<String>,
    /// Nothing if the chip stores no certificates.
    identity: Option<Identity>,
    slots: Vec<Description>,
}

#[derive(Serialize)]
struct Identity {
    subject: String,
    issuer: String,
    root: String,
    serial_number: String,
    not_before: String,
    not_after: String,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let configuration = token.read_configuration()?;
    let public_key = match token.public_key(token.primary_key()?) {
        Ok(key) => Some(output::hex(key.as_bytes())),
        Err(error) if error.chip_status().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let info = Info {
        device: session.spec()?.to_string(),
        part: token.revision().part(),
        emulated: token.is_emulated(),
        serial_number: token.serial_number().to_string(),
        revision: output::hex(&token.revision().0),
        i2c_address: configuration.effective_i2c_address(),
        configuration_locked: configuration.is_configuration_locked(),
        data_locked: configuration.is_data_locked(),
        identity: if public_key.is_some() { identity(&token)? } else { None },
        public_key,
        slots: slots::describe_all(&configuration),
    };
    if arguments.json { output::json(&info) } else { output::text(&table(&info), None) }
}

fn identity(token: &Token) -> Result<Option<Identity>, Error> {
    let certificates = match token.certificates() {
        Ok(certificates) => certificates,
        Err(TokenError::Certificate(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let device = Certificate::from_der(&certificates.device)?;
    let root = Certificate::from_der(&certificates.root)?;
    let device = device.tbs_certificate();
    Ok(Some(Identity {
        subject: device.subject().to_string(),
        issuer: device.issuer().to_string(),
        root: root.tbs_certificate().subject().to_string(),
        serial_number: output::hex(device.serial_number().as_bytes()),
        not_before: device.validity().not_before.to_string(),
        not_after: device.validity().not_after.to_string(),
    }))
}

fn table(info: &Info) -> String {
    let locked = |is_locked| if is_locked { "locked" } else { "NOT locked" };
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<14}{value}");
    };
    row("part", info.part);
    if info.emulated {
        row("", "EMULATOR: this chip is software, for trials and tests only");
    }
    row("device", &info.device);
    row("serial number", &info.serial_number);
    row("revision", &info.revision);
    row("I2C address", &format!("0x{:02x}", info.i2c_address));
    row("configuration", locked(info.configuration_locked));
    row("data", locked(info.data_locked));
    if let Some((x, y)) = info.public_key.as_ref().and_then(|key| key.split_at_checked(64)) {
        row("public key", x);
        row("", y);
    }
    match &info.identity {
        Some(identity) => {
            row("subject", &identity.subject);
            row("issuer", &identity.issuer);
            row("root", &format!("{} (verified)", identity.root));
            row("valid", &format!("{} to {}", identity.not_before, identity.not_after));
        }
        None => row("identity", "no certificates that this program knows are stored in the chip"),
    }
    text += "\nslot  bytes  holds              may\n";
    for Description { slot, bytes, holds, may, locked, .. } in &info.slots {
        let may = if may.is_empty() { "nothing".into() } else { may.join(", ") };
        let locked = if *locked { "; LOCKED" } else { "" };
        let _ = writeln!(text, "{slot:<6}{bytes:<7}{holds:<19}{may}{locked}");
    }
    text
}
