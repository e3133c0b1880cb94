//! The key, its certificate, and whether they belong together.

use std::time::{Duration, SystemTime};

use identity::Identity;

use super::finding::{Finding, Findings};
use crate::config::Config;

/// How long before its end a certificate is warned of.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// The identity, if one can be had.
pub(super) fn examine(
    config: &Config,
    device: Option<&str>,
    findings: &mut Findings<impl FnMut(&Finding)>,
) -> Option<Identity> {
    let identity = match config.open_identity(device) {
        Ok(identity) => identity,
        Err(error) => {
            let fix = if config.provision.is_some() {
                "without a certificate yet: atecc-agent provision"
            } else {
                "`atecc doctor` looks closer at a chip, `p11tool --list-tokens` at tokens"
            };
            findings.refused("key", &error, fix);
            return None;
        }
    };
    let holder = match identity.serial_number() {
        Some(serial) => format!("{}, serial number {serial}", identity.model()),
        None => identity.model(),
    };
    if identity.is_emulated() {
        findings.warning(
            "key",
            format!("{holder}, EMULATOR: software, whose key can be copied"),
            "good for trials only; a gateway wants a chip",
        );
    } else {
        findings.ok("key", holder);
    }
    sign(&identity, findings);
    validity(&identity, SystemTime::now(), findings);
    Some(identity)
}

/// A fresh signature, which `identity` verifies with the public key of the certificate.
fn sign(identity: &Identity, findings: &mut Findings<impl FnMut(&Finding)>) {
    let Some(scheme) = identity.schemes().first() else { return };
    let mut challenge = [0; 32];
    if let Err(error) = getrandom::fill(&mut challenge) {
        return findings.wrong(
            "signature",
            format!("no random numbers: {error}"),
            "wait until the system has some",
        );
    }
    let start = std::time::Instant::now();
    match identity.sign(*scheme, &challenge) {
        Ok(_) => {
            let took = start.elapsed().as_millis();
            findings.ok("signature", format!("the key signs in {took} ms, and its certificate verifies it"));
        }
        Err(error) => findings.refused("signature", &error, "`atecc doctor` looks closer at a chip"),
    }
}

fn validity(identity: &Identity, now: SystemTime, findings: &mut Findings<impl FnMut(&Finding)>) {
    let validity = identity.leaf().tbs_certificate().validity();
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (from, to) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
    if now < from {
        findings.wrong(
            "certificate",
            format!("it is not valid before {}", validity.not_before),
            "set the clock of this machine: timedatectl set-ntp true",
        );
    } else if now > to {
        findings.wrong(
            "certificate",
            format!("it expired on {}", validity.not_after),
            "have a new one made for the same key (atecc csr), and name it as certificate_file",
        );
    } else if to - now < SOON {
        findings.warning(
            "certificate",
            format!("it expires on {}", validity.not_after),
            "have a new one made for the same key (atecc csr), and name it as certificate_file",
        );
    } else {
        findings.ok("certificate", format!("valid until {}", validity.not_after));
    }
}
