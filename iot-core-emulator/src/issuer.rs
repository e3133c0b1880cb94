//! The authority behind the certificates that fleet provisioning hands out.
//!
//! On AWS they are signed by "the Amazon Root certificate authority" (developer guide, "Device provisioning MQTT API").
//! Here by an authority of the emulator, made at every start, whose names say EMULATOR.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use x509_cert::der::{Decode, DecodePem, Encode};
use x509_cert::request::CertReq;

use crate::{Error, certificate};

/// Signs device certificates.
pub(crate) struct Issuer(rcgen::Issuer<'static, KeyPair>);

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issuer")
    }
}

/// A certificate with its key in software.
pub(crate) struct Issued {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) certificate_pem: String,
    /// PKCS#8 in PEM.
    pub(crate) key_pem: String,
}

impl Issuer {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = name("EMULATOR device CA (not AWS, for tests only)");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self(rcgen::Issuer::new(parameters, key)))
    }

    /// A certificate for the key of a request, in DER and PEM; the error says what is wrong with the request.
    pub(crate) fn sign(&self, request_pem: &str) -> Result<(CertificateDer<'static>, String), String> {
        let request = Request::verified(request_pem)?;
        let certificate = parameters(&request.common_name)
            .signed_by(&request, &self.0)
            .map_err(|error| error.to_string())?;
        Ok((certificate.der().clone(), certificate.pem()))
    }

    /// A new key with its certificate. P-256, where AWS makes RSA keys of 2048 bits.
    pub(crate) fn issue(&self, common_name: &str) -> Result<Issued, Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = parameters(common_name).signed_by(&key, &self.0)?;
        Ok(Issued {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// A certificate request whose signature is right.
struct Request {
    common_name: String,
    /// The point, uncompressed.
    key: Vec<u8>,
}

impl Request {
    fn verified(pem: &str) -> Result<Self, String> {
        let request =
            CertReq::from_pem(pem).map_err(|error| format!("the request is not PKCS#10 in PEM: {error}"))?;
        let key = request.info.public_key.subject_public_key.raw_bytes().to_vec();
        let signed = request.info.to_der().map_err(|error| error.to_string())?;
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms.mapping;
        let algorithm = known
            .iter()
            .filter(|(scheme, _)| *scheme == SignatureScheme::ECDSA_NISTP256_SHA256)
            .flat_map(|(_, algorithms)| algorithms.iter())
            .find(|algorithm| {
                request.info.public_key.algorithm.to_der().is_ok_and(|der| body(&der) == &*algorithm.public_key_alg_id())
                    && request.algorithm.to_der().is_ok_and(|der| body(&der) == &*algorithm.signature_alg_id())
            })
            .ok_or("the request is not signed with ECDSA on P-256 and SHA-256, and the emulator knows nothing else")?;
        algorithm
            .verify_signature(&key, &signed, request.signature.raw_bytes())
            .map_err(|_| "the signature of the request is wrong")?;
        let common_name = certificate::attribute(&request.info.subject, certificate::COMMON_NAME)
            .unwrap_or_else(|| "EMULATOR of IoT Core".to_owned());
        Ok(Self { common_name, key })
    }
}

impl PublicKeyData for Request {
    fn der_bytes(&self) -> &[u8] {
        &self.key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// What stands in the SEQUENCE of an AlgorithmIdentifier: the form in which rustls names algorithms.
fn body(sequence: &[u8]) -> &[u8] {
    x509_cert::der::AnyRef::from_der(sequence).map_or(&[], |any| any.value())
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name(common_name);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "EMULATOR");
    name.push(DnType::CommonName, common_name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(algorithm: &'static SignatureAlgorithm) -> String {
        let key = KeyPair::generate_for(algorithm).unwrap();
        parameters("gw-1").serialize_request(&key).unwrap().pem().unwrap()
    }

    #[test]
    fn the_key_and_the_name_of_the_request_are_certified() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let pem = parameters("gw-1").serialize_request(&key).unwrap().pem().unwrap();
        let (der, _) = Issuer::new().unwrap().sign(&pem).unwrap();
        assert_eq!(certificate::common_name(&der).as_deref(), Some("gw-1"));
        let point = key.der_bytes();
        assert!(der.windows(point.len()).any(|window| window == point));
    }

    #[test]
    fn a_request_that_nobody_signed_is_refused() {
        let issuer = Issuer::new().unwrap();
        assert!(issuer.sign("hello").unwrap_err().contains("PKCS#10"));
        assert!(issuer.sign(&request(&rcgen::PKCS_ED25519)).unwrap_err().contains("P-256"));
        let good = x509_cert::der::pem::decode_vec(request(&PKCS_ECDSA_P256_SHA256).as_bytes()).unwrap().1;
        // In the subject's text, so that it is still a request.
        let place = good.windows(4).position(|window| window == b"gw-1").unwrap();
        let mut forged = good;
        forged[place] = b'h';
        let pem = x509_cert::der::pem::encode_string(
            "CERTIFICATE REQUEST",
            x509_cert::der::pem::LineEnding::LF,
            &forged,
        );
        assert!(issuer.sign(&pem.unwrap()).unwrap_err().contains("signature"));
    }
}
