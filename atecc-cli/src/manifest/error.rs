//! Why a verb about manifests did not do its work.

use std::path::PathBuf;

use super::{entries::ReadError, refusal::CertificateProblem};

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ManifestError {
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: ReadError },
    #[error("{path} has no entries; ask its sender for the manifest of your chips", path = path.display())]
    Empty { path: PathBuf },
    #[error(
        "{refused} of {entries} entries are not to be believed; register none of them, and fetch the file again \
         from where the chips were bought"
    )]
    Refused { refused: usize, entries: usize },
    #[error("{path} has no entry for chip {serial_number}; without --serial, `show` lists all", path = path.display())]
    NoSuchChip { path: PathBuf, serial_number: String },
    #[error("{path} holds no certificate; it must be one in PEM or DER", path = path.display())]
    NotACertificate { path: PathBuf },
    #[error("the certificate in {path} {problem}", path = path.display())]
    Certificate { path: PathBuf, problem: CertificateProblem },
    #[error(
        "{path} holds no P-256 private key in PEM; if it is encrypted, `openssl pkey` takes the passphrase off",
        path = path.display()
    )]
    NotAKey { path: PathBuf },
    #[error(
        "the certificate in {certificate} is not for the key in {key}",
        certificate = certificate.display(),
        key = key.display()
    )]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("chip {serial_number} is there twice; name each chip once")]
    Twice { serial_number: String },
    #[error("the signature could not be made; try again, and report it if that does not help")]
    Signing,
}
