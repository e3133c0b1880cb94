//! The CA that shall be registered.

use std::{path::Path, sync::Arc};

use identity::{Key, KeySource};
use sha2::{Digest, Sha256};
use x509_cert::{
    Certificate,
    der::{Decode, Encode, EncodePem, pem::LineEnding},
    ext::pkix::BasicConstraints,
};

use super::{Arguments, CaError, Mode};
use crate::{ask, error::Error, output, register::read_certificates, session::Session};

/// A CA, and in mode `default` its key.
pub(super) struct Issuer {
    pub(super) certificate: Certificate,
    /// The certificate, in PEM.
    pub(super) pem: String,
    /// The SHA-256 of its DER, as AWS names it.
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) key: Option<Arc<Key>>,
}

impl Issuer {
    /// Reads certificate and key, which must belong together.
    pub(super) fn open(session: &mut Session, arguments: &Arguments) -> Result<Self, Error> {
        match (arguments.mode, &arguments.key) {
            (Mode::Default, None) => {
                return Err(CaError::Needs { option: "--mode default", with: "--key" }.into());
            }
            (Mode::SniOnly, Some(_)) => {
                return Err(CaError::Needs { option: "--key", with: "--mode default" }.into());
            }
            _ => {}
        }
        let path = arguments.certificate.as_deref().unwrap_or(Path::new("the chip"));
        let der = match &arguments.certificate {
            Some(path) => read_certificates(path)?.swap_remove(0).to_vec(),
            None => session.token()?.certificates()?.signer.clone(),
        };
        let unfit = |problem: String| CaError::NotAnAuthority { path: path.into(), problem };
        let certificate = Certificate::from_der(&der).map_err(|error| unfit(error.to_string()))?;
        let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
        if !constraints.is_ok_and(|found| found.is_some_and(|(_, constraints)| constraints.ca)) {
            return Err(unfit("its basic constraints do not say CA:TRUE".into()).into());
        }
        Ok(Self {
            pem: certificate.to_pem(LineEnding::LF)?,
            id: output::hex(&Sha256::digest(&der)),
            subject: certificate.tbs_certificate().subject().to_string(),
            key: arguments.key.as_deref().map(|typed| key(typed, &certificate, path)).transpose()?,
            certificate,
        })
    }

    /// Says who else has chips of this authority, and wants to hear that they may come in.
    pub(super) fn consent(&self, session: &mut Session, is_given: bool) -> Result<(), Error> {
        let token = session.token()?;
        let device = Certificate::from_der(&token.certificates()?.device)?;
        check_name(&device)?;
        let whose = if token.is_emulated() {
            "the test CA of emulated chips, whose key is public: everybody can make such a chip"
        } else {
            "Microchip, which signs the chips of all its customers: strangers have chips of the same signer"
        };
        let warning = format!(
            "{} belongs to {whose}. Whoever connects with one becomes a thing in this account. For production, register \
             with --auto-registration instead, and activate by an allow-list (docs/registration.md).",
            self.subject
        );
        if is_given {
            eprintln!("atecc: {warning}");
            return Ok(());
        }
        ask::for_words(&warning, "let strangers in", "--yes-let-strangers-in")
    }
}

/// A template can say the common name and no part of it, so the thing must be called like that.
fn check_name(device: &Certificate) -> Result<(), CaError> {
    let subject = device.tbs_certificate().subject().to_string();
    let thing = identity::thing_name(device);
    let is_said = thing.is_some_and(|name| subject.split(',').any(|part| part == format!("CN={name}")));
    if is_said { Ok(()) } else { Err(CaError::Name { subject }) }
}

/// The key that `typed` names, if it is that of `certificate`.
fn key(typed: &str, certificate: &Certificate, path: &Path) -> Result<Arc<Key>, Error> {
    let source: KeySource = typed.parse().map_err(CaError::KeySource)?;
    let key = Key::open(&source).map_err(CaError::Key)?;
    if certificate.tbs_certificate().subject_public_key_info().to_der()? != key.public_key_info() {
        let (key, certificate) = (key.to_string(), path.to_owned());
        return Err(CaError::OtherKey { key, certificate }.into());
    }
    Ok(Arc::new(key))
}
