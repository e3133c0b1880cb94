//! Whether an entry is to be believed.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use atecc::certificate::MICROCHIP;
use base64ct::{Base64, Encoding};
use p256::ecdsa::Signature;
use x509_cert::name::Name;

use super::{
    element::{Element, Entry, Jwk, Protected, decode},
    entries::without_position,
    key::{self, Key},
    log_signer::LogSigner,
    refusal::{CertificateProblem, Refusal},
    x509::Parsed,
};
use crate::output;

/// So many signers are remembered; their certificates need not be verified again. A reel has one or a few.
const MAX_SIGNERS: usize = 1024;

/// Whom to believe: log signers what they say of chips, roots what they say of signers.
#[derive(Debug)]
pub(super) struct Trust {
    log_signers: Vec<LogSigner>,
    roots: Vec<Authority>,
    /// Signers whose certificate, which is the key, verified.
    signers: Mutex<HashMap<Vec<u8>, Arc<Authority>>>,
}

/// A certificate that issues others.
#[derive(Debug)]
struct Authority {
    subject: Name,
    key_identifier: Vec<u8>,
    key: Key,
}

/// How an entry stands that its log signer did sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its certificate is that of this chip and key, up to a trusted root.
    Verified,
    /// It has no keys, as those of TrustMANAGER parts.
    WithoutKeys,
    /// It has keys and no certificate.
    WithoutCertificate,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "it is well signed, and its certificate is that of its chip",
            Self::WithoutKeys => {
                "it is well signed and has no keys, as those of TrustMANAGER parts; they get theirs in the field, \
                 so there is nothing to register in this file"
            }
            Self::WithoutCertificate => {
                "it is well signed and has no certificate; make one for the key (`atecc csr`) to register it"
            }
        })
    }
}

/// What was found out about an entry.
pub(super) struct Inspection<'a> {
    /// As far as it can be read, believed or not.
    pub(super) element: Option<&'a Element<'a>>,
    /// As the entry says, signed or not.
    pub(super) serial_number: Option<&'a str>,
    pub(super) log_signer: Option<&'a str>,
    pub(super) standing: Result<Standing, Refusal>,
}

impl Trust {
    /// Microchip's log signers and root, and these certificates in DER.
    ///
    /// # Errors
    /// The index of a certificate that cannot serve, and why.
    pub(super) fn new(
        log_signers: &[Vec<u8>],
        roots: &[Vec<u8>],
    ) -> Result<Self, (Vec<u8>, CertificateProblem)> {
        let named = |der: &Vec<u8>| {
            let der = der.clone();
            move |problem| (der, problem)
        };
        let mut trust = Self {
            log_signers: LogSigner::pinned().collect(),
            roots: Vec::new(),
            signers: Mutex::new(HashMap::new()),
        };
        for der in log_signers {
            trust.log_signers.push(LogSigner::from_certificate(der).map_err(named(der))?);
        }
        let microchip = MICROCHIP.root_certificate.to_vec();
        for der in [&microchip].into_iter().chain(roots) {
            let root = Parsed::new(der).and_then(|root| Authority::new(&root)).map_err(named(der))?;
            trust.roots.push(root);
        }
        Ok(trust)
    }

    /// Verifies the entry that `json` is, and lets `look` see what came out.
    pub(super) fn inspect<T>(&self, json: &[u8], look: impl FnOnce(&Inspection<'_>) -> T) -> T {
        let mut inspection = Inspection {
            element: None,
            serial_number: None,
            log_signer: None,
            standing: Ok(Standing::WithoutKeys),
        };
        let entry = match Entry::parse(json) {
            Ok(entry) => entry,
            Err(refusal) => {
                inspection.standing = Err(refusal);
                return look(&inspection);
            }
        };
        inspection.serial_number = Some(&entry.header.unique_id);
        let signed = self.verify_signature(&entry);
        inspection.log_signer = signed.as_ref().ok().map(|log_signer| log_signer.name.as_str());
        let payload = entry.payload_json();
        let element = payload.as_deref().map_err(Refusal::clone).and_then(Element::parse);
        if let Ok(element) = &element {
            inspection.serial_number = Some(&element.unique_id);
            inspection.element = Some(element);
        }
        inspection.standing = match (signed, &element) {
            (Err(refusal), _) => Err(refusal),
            (_, Err(refusal)) => Err(refusal.clone()),
            (Ok(_), Ok(element)) => self.verify_element(&entry, element),
        };
        look(&inspection)
    }

    /// Finds the log signer by the fingerprint that the entry names, and verifies its signature.
    fn verify_signature(&self, entry: &Entry<'_>) -> Result<&LogSigner, Refusal> {
        let protected = decode(&entry.protected, "protected header")?;
        let protected: Protected<'_> = serde_json::from_slice(&protected)
            .map_err(|error| Refusal::Protected(without_position(&error)))?;
        if protected.alg != "ES256" {
            return Err(Refusal::Algorithm(protected.alg.into()));
        }
        if protected.crit.is_some() {
            return Err(Refusal::Critical);
        }
        let fingerprint = decode(&protected.fingerprint, "x5t#S256")?;
        let log_signer = self
            .log_signers
            .iter()
            .find(|log_signer| log_signer.fingerprint == fingerprint[..])
            .ok_or_else(|| Refusal::UnknownLogSigner(output::hex(&fingerprint)))?;
        if decode(&protected.kid, "kid")? != log_signer.key_identifier {
            return Err(Refusal::KeyIdentifier(log_signer.name.clone()));
        }
        let forged = || Refusal::Signature(log_signer.name.clone());
        let signature = decode(&entry.signature, "signature")?;
        let signature = Signature::from_slice(&signature).map_err(|_| forged())?;
        // What was signed is the text as it stands in the file (RFC 7515, section 5.2).
        let signed = [&entry.protected, ".", &entry.payload].concat();
        if log_signer.key.verifies(signed.as_bytes(), &signature) { Ok(log_signer) } else { Err(forged()) }
    }

    fn verify_element(&self, entry: &Entry<'_>, element: &Element<'_>) -> Result<Standing, Refusal> {
        if !matches!(element.version, 1 | 2) {
            return Err(Refusal::Version(element.version));
        }
        if entry.header.unique_id != element.unique_id {
            return Err(Refusal::OtherSerialNumber {
                header: entry.header.unique_id.clone().into(),
                payload: element.unique_id.clone().into(),
            });
        }
        let mut chain = None;
        for (index, jwk) in element.keys().iter().enumerate() {
            let coordinates = jwk.coordinates().filter(key::is_key);
            let coordinates = coordinates.ok_or_else(|| Refusal::Key(jwk.kid.clone().into()))?;
            if element.keys().iter().take(index).any(|other| other.kid == jwk.kid) {
                return Err(Refusal::TwoKeys(jwk.kid.clone().into()));
            }
            if jwk.x5c.is_some() && chain.replace((jwk, coordinates)).is_some() {
                return Err(Refusal::TwoChains);
            }
        }
        match chain {
            Some((jwk, coordinates)) => {
                self.verify_chain(jwk, &coordinates, &element.unique_id)?;
                Ok(Standing::Verified)
            }
            None if element.keys().is_empty() => Ok(Standing::WithoutKeys),
            None => Ok(Standing::WithoutCertificate),
        }
    }

    fn verify_chain(
        &self,
        jwk: &Jwk<'_>,
        coordinates: &[u8; 64],
        serial_number: &str,
    ) -> Result<(), Refusal> {
        let [device, signer] = chain(jwk)?;
        let signer =
            self.signer(signer).map_err(|problem| Refusal::Certificate { which: "signer's", problem })?;
        check_device(&device, coordinates, serial_number, &signer)
            .map_err(|problem| Refusal::Certificate { which: "device's", problem })
    }

    /// The signer with this certificate, if a root issued it.
    fn signer(&self, der: Vec<u8>) -> Result<Arc<Authority>, CertificateProblem> {
        // A thread that panicked left whole entries behind.
        let known = || self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = known().get(&der) {
            return Ok(Arc::clone(signer));
        }
        let parsed = Parsed::new(&der)?;
        let mut problem = CertificateProblem::UnknownRoot { issuer: parsed.issuer().to_string() };
        // Two roots may have one name.
        for root in self.roots.iter().filter(|root| root.subject == *parsed.issuer()) {
            match parsed.check_issued_by(&root.subject, &root.key_identifier, &root.key) {
                Ok(()) => {
                    let signer = Arc::new(Authority::new(&parsed)?);
                    let mut known = known();
                    if known.len() < MAX_SIGNERS {
                        known.insert(der, Arc::clone(&signer));
                    }
                    return Ok(signer);
                }
                Err(other) => problem = other,
            }
        }
        Err(problem)
    }
}

impl Authority {
    fn new(certificate: &Parsed<'_>) -> Result<Self, CertificateProblem> {
        if !certificate.is_authority() {
            return Err(CertificateProblem::Role("it is no certificate authority's"));
        }
        Ok(Self {
            subject: certificate.subject().clone(),
            key_identifier: certificate.key_identifier(),
            key: Key::new(&certificate.coordinates).ok_or(CertificateProblem::Key)?,
        })
    }
}

/// The device's certificate and its signer's, in DER.
pub(super) fn chain(jwk: &Jwk<'_>) -> Result<[Vec<u8>; 2], Refusal> {
    let texts = jwk.x5c.as_deref().unwrap_or_default();
    let [device, signer] = texts else { return Err(Refusal::ChainLength(texts.len())) };
    let decode = |which, text: &str| {
        Base64::decode_vec(text)
            .map_err(|_| Refusal::Certificate { which, problem: CertificateProblem::Base64 })
    };
    Ok([decode("device's", device)?, decode("signer's", signer)?])
}

fn check_device(
    der: &[u8],
    coordinates: &[u8; 64],
    serial_number: &str,
    signer: &Authority,
) -> Result<(), CertificateProblem> {
    let device = Parsed::new(der)?;
    if device.coordinates != *coordinates {
        return Err(CertificateProblem::OtherKey);
    }
    if device.is_authority() {
        return Err(CertificateProblem::Role("it is a certificate authority's"));
    }
    // "sn0123..." in template 3, "0123... ATECC" in template 2 (DS20006367A; docs/manifest.md).
    let subject = device.subject().to_string();
    if !subject.to_ascii_lowercase().contains(&serial_number.to_ascii_lowercase()) {
        return Err(CertificateProblem::OtherChip { subject, serial_number: serial_number.into() });
    }
    device.check_issued_by(&signer.subject, &signer.key_identifier, &signer.key)
}
