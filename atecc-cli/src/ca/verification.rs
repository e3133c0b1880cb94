//! The certificate that proves to AWS that the owner of an account has the key of a CA.

use std::{str::FromStr, time::Duration};

use identity::Key;
use p256::{
    SecretKey,
    ecdsa::signature::Keypair,
    pkcs8::{Document, EncodePublicKey},
};
use x509_cert::{
    Certificate, TbsCertificate,
    builder::{Builder, CertificateBuilder, profile::BuilderProfile},
    der::{Decode, EncodePem, asn1::BitString, pem::LineEnding},
    ext::Extension,
    name::Name,
    serial_number::SerialNumber,
    spki::{
        self, AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfoOwned,
        SubjectPublicKeyInfoRef,
    },
    time::Validity,
};

use super::CaError;

/// AWS looks at it once, at the moment when the CA is registered.
const LIFE: Duration = Duration::from_secs(86_400);

/// A certificate for `code` (developer guide, "Register your CA certificate"), issued by `authority` with its
/// `key`. Its own key is thrown away.
pub(super) fn certificate(authority: &Certificate, key: &Key, code: &str) -> Result<String, CaError> {
    let subject = Name::from_str(&format!("CN={code}")).map_err(|error| failed(&error))?;
    let issuer = authority.tbs_certificate().subject().clone();
    let own = SubjectPublicKeyInfoOwned::from_key(&own_key()?).map_err(|error| failed(&error))?;
    let serial_number = SerialNumber::new(&random::<16>()?).map_err(|error| failed(&error))?;
    let validity = Validity::from_now(LIFE).map_err(|error| failed(&error))?;
    let builder = CertificateBuilder::new(Proof { issuer, subject }, serial_number, validity, own);
    let mut builder = builder.map_err(|error| failed(&error))?;
    let signer = Signer(key);
    let message = builder.finalize(&signer).map_err(|error| failed(&error))?;
    let signature = key.sign(key.certificate_scheme(), &message).map_err(CaError::Key)?;
    let signature = BitString::from_bytes(&signature).map_err(|error| failed(&error))?;
    let certificate = builder.assemble(signature, &signer).map_err(|error| failed(&error))?;
    certificate.to_pem(LineEnding::LF).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> CaError {
    CaError::Verification(error.to_string())
}

/// The public half of a key that nobody keeps.
fn own_key() -> Result<p256::PublicKey, CaError> {
    // One in 2^32 is not below the order of the curve.
    loop {
        if let Ok(key) = SecretKey::from_slice(&random::<32>()?) {
            return Ok(key.public_key());
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], CaError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| CaError::Random(error.to_string()))?;
    // A serial number is positive (RFC 5280, section 4.1.2.2).
    bytes[0] &= 0x7f;
    Ok(bytes)
}

/// Issuer and subject, and nothing else: no extension is asked for.
struct Proof {
    issuer: Name,
    subject: Name,
}

impl BuilderProfile for Proof {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(Vec::new())
    }
}

/// The key of the CA, as the builder wants to know it.
struct Signer<'a>(&'a Key);

/// SubjectPublicKeyInfo in DER.
#[derive(Clone)]
struct Public(Vec<u8>);

impl Keypair for Signer<'_> {
    type VerifyingKey = Public;

    fn verifying_key(&self) -> Public {
        Public(self.0.public_key_info().to_vec())
    }
}

impl EncodePublicKey for Public {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::from_der(&self.0)?)
    }
}

impl DynSignatureAlgorithmIdentifier for Signer<'_> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(self.0.certificate_algorithm()?)
    }
}
