//! Whom we believe: the CA certificates of a PEM file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::Error;

/// The CA certificates of one file, which stays named in messages.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The file.
    pub(super) file: PathBuf,
    pub(super) store: Arc<RootCertStore>,
}

impl Roots {
    /// Reads all certificates of a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or contains no certificate.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        let pem = std::fs::read(file).map_err(|source| Error::CaFile { file: file.to_owned(), source })?;
        Self::from_pem(&pem, file)
    }

    fn from_pem(pem: &[u8], file: &Path) -> Result<Self, Error> {
        let damaged = |problem: String| Error::CaFileContent { file: file.to_owned(), problem };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| damaged(error.to_string()))?;
            store.add(certificate).map_err(|error| damaged(error.to_string()))?;
        }
        if store.is_empty() {
            return Err(damaged("it contains no `-----BEGIN CERTIFICATE-----`".to_owned()));
        }
        Ok(Self { file: file.to_owned(), store: Arc::new(store) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(pem: &str) -> String {
        Roots::from_pem(pem.as_bytes(), Path::new("ca.pem")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said() {
        assert!(problem("").contains("no `-----BEGIN CERTIFICATE-----`"));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(problem(damaged).starts_with("ca_file ca.pem"), "{}", problem(damaged));
        let missing = Roots::from_file(Path::new("/does/not/exist.pem")).unwrap_err().to_string();
        assert!(missing.contains("/does/not/exist.pem"), "{missing}");
    }
}
