//! The key, its certificate, and whether the dates are good.

use std::time::SystemTime;

use atecc::{Configuration, Slot, certificate::CertificateError};
use atecc_token::{Certificates, Error as TokenError, Token};
use x509_cert::{Certificate, der::Decode};

use super::report::Report;
use crate::error::Error;

/// What the key signs to show that it can.
const DIGEST: [u8; 32] = [0x5a; 32];

/// Whether there is a key.
pub(super) fn key(token: &Token, report: &mut Report) -> Result<bool, Error> {
    let slot = signing_slot(&token.configuration()?);
    if let Err(error) = token.public_key(slot) {
        report.wrong(
            "key",
            format!("slot {slot} gives no public key: {error}"),
            "use a part with a key, as Trust&GO parts have",
        )?;
        return Ok(false);
    }
    match token.sign(slot, &DIGEST) {
        Ok(_) => report.ok("key", format!("slot {slot} signs, and its public key verifies"))?,
        Err(error) => report.wrong(
            "key",
            format!("slot {slot} does not sign: {error}"),
            "if it is the wiring, mend that; if the chip refuses, its configuration forbids it",
        )?,
    }
    Ok(true)
}

/// The first slot whose private key may sign; slot 0 in TLS parts, slot 1 in LoRa parts.
fn signing_slot(configuration: &Configuration) -> Slot {
    let signs = |&slot: &Slot| {
        configuration.key_properties(slot).private()
            && configuration.slot_rules(slot).private_key_use().signs_external()
    };
    (0..16).filter_map(Slot::new).find(signs).unwrap_or(Slot::PRIMARY_KEY)
}

pub(super) fn certificates(token: &Token, at: Option<SystemTime>, report: &mut Report) -> Result<(), Error> {
    let certificates = match token.certificates() {
        Ok(certificates) => certificates,
        Err(TokenError::Certificate(error)) => return unusable(error, report),
        Err(error) => {
            let fix = "check the wiring, then try again";
            return report.wrong("certificates", error.to_string(), fix);
        }
    };
    let device = Certificate::from_der(&certificates.device)?;
    let subject = device.tbs_certificate().subject();
    report.ok("certificate", format!("{subject}, for the key in the chip"))?;
    let root = Certificate::from_der(&certificates.root)?;
    report.ok("chain", format!("verified up to {}", root.tbs_certificate().subject()))?;
    dates(&certificates, at, report)
}

fn unusable(error: CertificateError, report: &mut Report) -> Result<(), Error> {
    let own = "for an identity of your own, have a certificate made from `atecc csr` by a CA that you trust";
    match error {
        CertificateError::NotCompressed => {
            report.wrong("certificate", "the chip stores no certificates in slots 10 to 12", own)
        }
        CertificateError::NoTemplate => report.wrong(
            "certificate",
            "the certificate in slot 10 does not belong to the key in slot 0, or is damaged",
            format!("do not trust what this chip says it is; {own}"),
        ),
        CertificateError::UnknownRoot => report.wrong(
            "chain",
            "the signer in slots 11 and 12 was not issued by a trusted root",
            "buy Trust&GO parts from Microchip or its distributors; to use your own CA, give its certificates \
             to your programs as files",
        ),
        error => report.wrong("certificate", error.to_string(), "look for a newer version of this program"),
    }
}

/// Device and signer certificate are valid at `at`, or now.
fn dates(certificates: &Certificates, at: Option<SystemTime>, report: &mut Report) -> Result<(), Error> {
    let (now, says) = match at {
        Some(at) => (at, "at the given time"),
        None => (SystemTime::now(), "by this machine's clock"),
    };
    for (name, der) in [("device", &certificates.device), ("signer", &certificates.signer)] {
        let certificate = Certificate::from_der(der)?;
        let validity = certificate.tbs_certificate().validity();
        let (from, to) = (validity.not_before, validity.not_after);
        if now < from.to_system_time() {
            return report.wrong(
                "clock",
                format!("{says} the {name} certificate is not valid yet; it begins at {from}"),
                "set the clock (`timedatectl set-ntp true`); a board without a battery needs the network first",
            );
        }
        if now > to.to_system_time() {
            return report.wrong(
                "clock",
                format!("{says} the {name} certificate is no longer valid; it ended at {to}"),
                "set the clock if it is wrong (`timedatectl set-ntp true`); otherwise replace the chip",
            );
        }
    }
    report.ok("clock", format!("{says} the certificates are valid"))
}
