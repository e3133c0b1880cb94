//! A key with the certificates that go with it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use atecc::SerialNumber;
use atecc_token::Token;
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_cert::Certificate;
use x509_cert::der::Encode;

use crate::{Error, Key, KeySource, Sign, name};

/// A certificate chain, and the private key of its leaf. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    chain: Arc<[Vec<u8>]>,
    leaf: Arc<Certificate>,
    key: Arc<Key>,
}

impl Identity {
    /// Opens the key at `source`, with the certificates of `certificate_file` (PEM, the key's own first, then those
    /// above it). Without a file they come from where the key is: from the chip, from the token's certificate with the
    /// key's CKA_ID, or from the key's own PEM file.
    ///
    /// # Errors
    /// When the key or the certificates cannot be read, or do not belong together.
    pub fn open(source: &KeySource, certificate_file: Option<&Path>) -> Result<Self, Error> {
        Self::with_key(Key::open(source)?, certificate_file)
    }

    /// The same for a key that is open already.
    ///
    /// # Errors
    /// When the certificates cannot be read, or are for another key.
    pub fn with_key(key: impl Into<Arc<Key>>, certificate_file: Option<&Path>) -> Result<Self, Error> {
        let key = key.into();
        let Some(file) = certificate_file else {
            let chain = key.certificates()?;
            let holder = key.to_string();
            if chain.is_empty() {
                return Err(Error::NoCertificate { holder });
            }
            return Self::of(chain, key).map_err(|problem| Error::Certificate { holder, problem });
        };
        let unusable = |problem: String| Error::CertificateFile { file: file.to_owned(), problem };
        let chain: Vec<Vec<u8>> = CertificateDer::pem_file_iter(file)
            .and_then(|certificates| certificates.map(|each| each.map(|der| der.to_vec())).collect())
            .map_err(|error| unusable(error.to_string()))?;
        if chain.is_empty() {
            return Err(unusable("it contains no `-----BEGIN CERTIFICATE-----`".to_owned()));
        }
        Self::of(chain, key).map_err(unusable)
    }

    /// The identity of an open chip: its primary key, and the certificates that it stores or those of
    /// `certificate_file`.
    ///
    /// # Errors
    /// When the chip does not answer, or the certificates are for another key.
    pub fn of_token(token: &Arc<Token>, certificate_file: Option<&Path>) -> Result<Self, Error> {
        Self::with_key(Key::of_token(token)?, certificate_file)
    }

    /// `chain` (DER, leaf first) with whatever signs for its leaf. For keys that are held in another way than those
    /// that [`KeySource`] knows.
    ///
    /// # Errors
    /// When the chain is empty, its first certificate is damaged, or its key is of an unknown kind.
    pub fn held_by(chain: Vec<Vec<u8>>, holder: impl Sign + 'static) -> Result<Self, Error> {
        let name = holder.to_string();
        let damaged = |problem: String| Error::Certificate { holder: name.clone(), problem };
        let der = chain.first().ok_or_else(|| Error::NoCertificate { holder: name.clone() })?;
        let leaf = name::certificate(der).map_err(|error| damaged(error.to_string()))?;
        let info = leaf.tbs_certificate().subject_public_key_info().to_der();
        let key = Key::held_by(&info.map_err(|error| damaged(error.to_string()))?, holder)?;
        Self::of(chain, key).map_err(damaged)
    }

    /// The certificates of a PEM text, leaf first, with the key of the leaf. `name` says what the text is, for errors.
    ///
    /// # Errors
    /// When the text holds no certificate, a damaged one, or one for another key.
    pub fn from_pem(certificates: &str, name: &str, key: Arc<Key>) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Certificate { holder: name.to_owned(), problem };
        let chain =
            CertificateDer::pem_slice_iter(certificates.as_bytes()).map(|each| each.map(|der| der.to_vec()));
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| unusable(error.to_string()))?;
        if chain.is_empty() {
            return Err(unusable("it contains no `-----BEGIN CERTIFICATE-----`".to_owned()));
        }
        Self::of(chain, key).map_err(unusable)
    }

    fn of(chain: Vec<Vec<u8>>, key: impl Into<Arc<Key>>) -> Result<Self, String> {
        let key = key.into();
        let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
        let leaf =
            name::certificate(leaf).map_err(|error| format!("its first certificate is damaged: {error}"))?;
        let info = leaf.tbs_certificate().subject_public_key_info().to_der();
        if info.ok().as_deref() != Some(key.public_key_info()) {
            return Err(format!(
                "its first certificate is not for the key in {key}; a certificate for that key is made from its CSR, and the key's own certificate stands first"
            ));
        }
        Ok(Self { chain: chain.into(), leaf: Arc::new(leaf), key })
    }

    /// The certificates in DER, leaf first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The leaf.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The leaf's key.
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// What kinds of signature the key makes, best first.
    pub fn schemes(&self) -> &'static [SignatureScheme] {
        self.key.schemes()
    }

    /// Signs `message`, see [`Key::sign`].
    ///
    /// # Errors
    /// When the key cannot be reached or may not be used, or the signature is wrong.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.sign(scheme, message)
    }

    /// The name of the thing that this is in AWS IoT Core, see [`thing_name`](crate::thing_name).
    pub fn thing_name(&self) -> Option<String> {
        name::thing_name(&self.leaf)
    }

    /// Whether the key is in an emulated chip, as far as can be told: a PKCS#11 token tells by its model.
    pub fn is_emulated(&self) -> bool {
        self.key.is_emulated()
    }

    /// The serial number of this project's chip, if the key is there and no module is in between.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        self.key.serial_number()
    }

    /// What holds the key: `ATECC608B`, the model of the token, or `file`.
    pub fn model(&self) -> String {
        self.key.model()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("key", &self.key).field("certificates", &self.chain.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn pem_of(common_name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, common_name);
        (key.serialize_pem(), parameters.self_signed(&key).unwrap().pem())
    }

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn a_key_file_may_hold_its_certificate_and_signs() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = pem_of("gateway-7");
        let both = KeySource::File(write(folder.path(), "both.pem", &(certificate.clone() + &key)));
        let alone = KeySource::File(write(folder.path(), "key.pem", &key));
        let certificate = write(folder.path(), "certificate.pem", &certificate);
        for identity in [Identity::open(&both, None), Identity::open(&alone, Some(&certificate))] {
            let identity = identity.unwrap();
            assert_eq!(identity.thing_name().as_deref(), Some("gateway-7"));
            assert_eq!(
                (identity.is_emulated(), identity.serial_number(), identity.chain().len()),
                (false, None, 1)
            );
            let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
            assert_eq!(identity.schemes(), [scheme]);
            // It was verified before it got here.
            assert_eq!(identity.sign(scheme, b"message").unwrap()[0], 0x30);
            let error = identity.sign(SignatureScheme::ED25519, b"message").unwrap_err().to_string();
            assert!(error.contains("no signature of kind ED25519"), "{error}");
            assert!(!format!("{identity:?}").contains("BEGIN"));
        }
        let error = Identity::open(&alone, None).unwrap_err().to_string();
        assert!(error.contains("certificate_file"), "{error}");
    }

    #[test]
    fn a_certificate_for_another_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeySource::File(write(folder.path(), "key.pem", &pem_of("a").0));
        let foreign = write(folder.path(), "certificate.pem", &pem_of("a").1);
        let error = Identity::open(&key, Some(&foreign)).unwrap_err().to_string();
        assert!(
            error.contains("certificate.pem") && error.contains("is not for the key in the file"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        for (text, says) in [
            ("", "no private key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "encrypted",
            ),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key that is supported"),
        ] {
            let source = KeySource::File(write(folder.path(), "key.pem", text));
            let error = Identity::open(&source, None).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("key.pem"), "{error}");
        }
        let error = Identity::open(&KeySource::File("/does/not/exist.pem".into()), None).unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains("/does/not/exist.pem"), "{error}");
    }

    /// Signs, but another message.
    struct Faulty(rcgen::KeyPair);

    impl Sign for Faulty {
        fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, Error> {
            Ok(rcgen::SigningKey::sign(&self.0, b"another message").unwrap())
        }
    }

    impl fmt::Display for Faulty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a faulty thing")
        }
    }

    #[test]
    fn a_wrong_signature_never_leaves() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
        let identity = Identity::held_by(vec![certificate.der().to_vec()], Faulty(pair)).unwrap();
        let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
        assert!(matches!(identity.sign(scheme, b"message"), Err(Error::WrongSignature { .. })));
        assert!(identity.sign(scheme, b"another message").is_ok());
    }
}
