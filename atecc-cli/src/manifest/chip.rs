//! A chip that is to be registered.

use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    der::{
        Decode,
        pem::{LineEnding, encode_string},
    },
};

use super::{
    problem::Problem,
    trust::{self, Inspection},
};
use crate::{output, register::Template};

/// What of a verified entry counts here.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    /// Its number in the manifest, from 1.
    pub(super) entry: usize,
    /// As in the manifest: 18 hexadecimal digits.
    pub(super) serial_number: String,
    /// The name that its thing gets.
    pub(super) thing: String,
    /// DER.
    pub(super) certificate: Vec<u8>,
    /// DER.
    pub(super) signer: Vec<u8>,
}

impl Chip {
    /// The chip of an entry, if it is verified, whose thing is called as `template` says.
    ///
    /// # Errors
    /// Why there is nothing to register.
    pub(super) fn of(
        entry: usize,
        inspection: &Inspection<'_>,
        template: &Template,
    ) -> Result<Self, Problem> {
        Problem::of(entry, inspection)?;
        let serial_number = inspection.serial_number.unwrap_or_default().to_owned();
        let chip = || {
            let jwk = inspection.element?.keys().iter().find(|jwk| jwk.x5c.is_some())?;
            let [certificate, signer] = trust::chain(jwk).ok()?;
            Some((Certificate::from_der(&certificate).ok()?, certificate, signer))
        };
        let problem =
            |result, reason| Problem { entry, serial_number: Some(serial_number.clone()), result, reason };
        // What is verified has both; this says so in case that it does not.
        let (parsed, certificate, signer) =
            chip().ok_or_else(|| problem("without_certificate", "it has no certificate".into()))?;
        let common_name = identity::thing_name(&parsed);
        let thing = template
            .name(common_name.as_deref(), Some(&serial_number.to_ascii_uppercase()))
            .map_err(|error| problem("without_name", error.to_string()))?;
        Ok(Self { entry, serial_number, thing, certificate, signer })
    }

    /// The name that AWS gives its certificate: the SHA-256 of the DER, in hexadecimal digits.
    pub(super) fn id(&self) -> String {
        output::hex(&Sha256::digest(&self.certificate))
    }

    /// The certificate in PEM.
    pub(super) fn pem(&self) -> Result<String, String> {
        pem(&self.certificate)
    }
}

/// A certificate in PEM.
pub(super) fn pem(der: &[u8]) -> Result<String, String> {
    encode_string("CERTIFICATE", LineEnding::LF, der).map_err(|error| error.to_string())
}

/// A group's name: 1 to 128 letters, digits, `:`, `_` and `-` (API reference of AWS IoT, `CreateThingGroup`).
pub(super) fn group_name(text: &str) -> Result<String, String> {
    match identity::is_thing_name(text) {
        true => Ok(text.into()),
        false => Err("a group's name has 1 to 128 letters, digits, `:`, `_` and `-`".into()),
    }
}
