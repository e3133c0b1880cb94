//! Whether an entry is to be believed.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use atecc::certificate::MICROCHIP;
use base64_simd::STANDARD;
use p256::ecdsa::Signature;
use x509_cert::name::Name;

use super::{
    element::{Element, Entry, Jwk, Protected, decode},
    entries::without_position,
    key::{self, Claim, Key},
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
    key: Arc<Key>,
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

/// What was found out about an entry without verifying its signatures, each of which has a place among the claims.
struct Finding<'a> {
    log_signer: Result<(&'a LogSigner, usize), Refusal>,
    standing: Result<(Standing, Option<usize>), Refusal>,
}

/// Which claims are true.
struct Verdicts(Vec<bool>);

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

    /// Verifies entries, each in JSON and the first with the number `first`, and lets `look` see what came out of
    /// each.
    pub(super) fn inspect<T>(
        &self,
        first: usize,
        json: &[Vec<u8>],
        look: impl Fn(usize, &Inspection<'_>) -> T,
    ) -> Vec<T> {
        // Each step for all, since what is read of one borrows from the step before.
        let entries: Vec<Result<Entry<'_>, Refusal>> = json.iter().map(|json| Entry::parse(json)).collect();
        let payload = |entry: &Result<Entry<'_>, Refusal>| {
            entry.as_ref().map_err(Refusal::clone).and_then(Entry::payload_json)
        };
        let payloads: Vec<Result<Vec<u8>, Refusal>> = entries.iter().map(payload).collect();
        let elements: Vec<Result<Element<'_>, Refusal>> = payloads
            .iter()
            .map(|json| json.as_deref().map_err(Refusal::clone).and_then(Element::parse))
            .collect();
        // Signatures last and at once, which takes less time.
        let mut claims = Vec::new();
        let findings: Vec<Finding<'_>> = entries
            .iter()
            .zip(&elements)
            .map(|(entry, element)| self.find(entry, element, &mut claims))
            .collect();
        let verdicts = Verdicts(key::verify(&claims));
        let look = |(index, finding): (usize, Finding<'_>)| {
            let element = elements.get(index).and_then(|element| element.as_ref().ok());
            let entry = entries.get(index).and_then(|entry| entry.as_ref().ok());
            let log_signer = finding.log_signer(&verdicts);
            let inspection = Inspection {
                element,
                serial_number: element
                    .map(|element| &*element.unique_id)
                    .or_else(|| entry.map(|entry| &*entry.header.unique_id)),
                log_signer: log_signer.as_ref().ok().map(|log_signer| log_signer.name.as_str()),
                standing: log_signer.and_then(|_| finding.standing(&verdicts)),
            };
            look(first + index, &inspection)
        };
        findings.into_iter().enumerate().map(look).collect()
    }

    /// All but the signatures.
    fn find(
        &self,
        entry: &Result<Entry<'_>, Refusal>,
        element: &Result<Element<'_>, Refusal>,
        claims: &mut Vec<Claim>,
    ) -> Finding<'_> {
        let mut later = |claim| {
            claims.push(claim);
            claims.len() - 1
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(refusal) => {
                return Finding { log_signer: Err(refusal.clone()), standing: Err(refusal.clone()) };
            }
        };
        let log_signer = self.find_log_signer(entry).map(|(log_signer, claim)| (log_signer, later(claim)));
        let standing = match element {
            Ok(element) => {
                self.find_standing(entry, element).map(|(standing, claim)| (standing, claim.map(later)))
            }
            Err(refusal) => Err(refusal.clone()),
        };
        Finding { log_signer, standing }
    }

    /// Finds the log signer by the fingerprint that the entry names. It is claimed that it signed the entry.
    fn find_log_signer(&self, entry: &Entry<'_>) -> Result<(&LogSigner, Claim), Refusal> {
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
        let signature = decode(&entry.signature, "signature")?;
        let signature =
            Signature::from_slice(&signature).map_err(|_| Refusal::Signature(log_signer.name.clone()))?;
        // What was signed is the text as it stands in the file (RFC 7515, section 5.2).
        let signed = [entry.protected.as_bytes(), b".", entry.payload.as_bytes()];
        Ok((log_signer, log_signer.key.claim(&signed, signature)))
    }

    /// How the entry stands if it is signed well, and if the claim about its certificate holds.
    fn find_standing(
        &self,
        entry: &Entry<'_>,
        element: &Element<'_>,
    ) -> Result<(Standing, Option<Claim>), Refusal> {
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
                let claim = self.check_chain(jwk, &coordinates, &element.unique_id)?;
                Ok((Standing::Verified, Some(claim)))
            }
            None if element.keys().is_empty() => Ok((Standing::WithoutKeys, None)),
            None => Ok((Standing::WithoutCertificate, None)),
        }
    }

    /// Whether the chain is that of the chip, if the signer signed the device's certificate, as is claimed.
    fn check_chain(
        &self,
        jwk: &Jwk<'_>,
        coordinates: &[u8; 64],
        serial_number: &str,
    ) -> Result<Claim, Refusal> {
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
                Ok(claim) if claim.holds() => {
                    let signer = Arc::new(Authority::new(&parsed)?);
                    let mut known = known();
                    if known.len() < MAX_SIGNERS {
                        known.insert(der, Arc::clone(&signer));
                    }
                    return Ok(signer);
                }
                Ok(_) => problem = CertificateProblem::Signature,
                Err(other) => problem = other,
            }
        }
        Err(problem)
    }
}

impl Verdicts {
    fn hold(&self, claim: usize) -> bool {
        self.0.get(claim).is_some_and(|holds| *holds)
    }
}

impl<'a> Finding<'a> {
    fn log_signer(&self, verdicts: &Verdicts) -> Result<&'a LogSigner, Refusal> {
        match &self.log_signer {
            Ok((log_signer, claim)) if verdicts.hold(*claim) => Ok(log_signer),
            Ok((log_signer, _)) => Err(Refusal::Signature(log_signer.name.clone())),
            Err(refusal) => Err(refusal.clone()),
        }
    }

    fn standing(&self, verdicts: &Verdicts) -> Result<Standing, Refusal> {
        match &self.standing {
            Ok((_, Some(claim))) if !verdicts.hold(*claim) => {
                Err(Refusal::Certificate { which: "device's", problem: CertificateProblem::Signature })
            }
            Ok((standing, _)) => Ok(*standing),
            Err(refusal) => Err(refusal.clone()),
        }
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
        STANDARD
            .decode_to_vec(text)
            .map_err(|_| Refusal::Certificate { which, problem: CertificateProblem::Base64 })
    };
    Ok([decode("device's", device)?, decode("signer's", signer)?])
}

fn check_device(
    der: &[u8],
    coordinates: &[u8; 64],
    serial_number: &str,
    signer: &Authority,
) -> Result<Claim, CertificateProblem> {
    let device = Parsed::new(der)?;
    if device.coordinates != *coordinates {
        return Err(CertificateProblem::OtherKey);
    }
    if device.is_authority() {
        return Err(CertificateProblem::Role("it is a certificate authority's"));
    }
    // "sn0123..." in template 3, "0123... ATECC" in template 2 (DS20006367A; docs/manifest.md).
    if !device.subject_names(serial_number) {
        let subject = device.subject().to_string();
        return Err(CertificateProblem::OtherChip { subject, serial_number: serial_number.into() });
    }
    device.check_issued_by(&signer.subject, &signer.key_identifier, &signer.key)
}
