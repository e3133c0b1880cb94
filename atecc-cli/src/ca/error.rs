//! Why a certificate authority was not registered.

use std::path::PathBuf;

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CaError {
    #[error("{option} goes with {with}")]
    Needs { option: &'static str, with: &'static str },
    #[error(transparent)]
    KeySource(identity::SourceError),
    #[error(transparent)]
    Key(identity::Error),
    #[error(
        "the key in {key} is not that of the certificate in {certificate}; AWS wants a certificate that the CA itself \
         signed",
        certificate = certificate.display()
    )]
    OtherKey { key: String, certificate: PathBuf },
    #[error("{path} holds no certificate of a CA: {problem}", path = path.display())]
    NotAnAuthority { path: PathBuf, problem: String },
    #[error("the certificate that proves who owns the CA could not be made: {0}; report this if it stays")]
    Verification(String),
    #[error("{path} is no template: {problem}", path = path.display())]
    Template { path: PathBuf, problem: String },
    #[error(
        "the certificate of this chip says {subject:?}; a template names things by the whole common name, and no thing \
         can be called so. Register such chips one by one with `atecc register`"
    )]
    Name { subject: String },
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}
