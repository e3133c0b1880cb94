//! What can go wrong with a key or its certificates, in the words of somebody who has to repair it.

use std::path::PathBuf;

use rustls::SignatureScheme;

/// A key or a certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chip does not do its part.
    #[error(transparent)]
    Chip(#[from] atecc_token::Error),
    /// The chip's certificates could not be read.
    #[error("cannot read the certificates of the chip: {0}")]
    ChipCertificates(#[source] atecc_token::Error),
    /// The PKCS#11 module cannot be loaded or started.
    #[error("cannot use the PKCS#11 module {module}: {problem}")]
    Module {
        /// Its path.
        module: PathBuf,
        /// Why.
        problem: String,
    },
    /// No PKCS#11 module is named, or none of that name is installed.
    #[error("{0}; add ?module-path=/path/of/the/module.so to the pkcs11: URI")]
    NoModule(String),
    /// The URI leads to no token, or to several.
    #[error("no token of {module} is the one of {uri}: {problem}")]
    Token {
        /// The module.
        module: PathBuf,
        /// The URI, without a PIN.
        uri: String,
        /// What is there instead.
        problem: String,
    },
    /// The URI leads to no key, or to several.
    #[error("no private key in token {token:?} is the one of {uri}: {problem}")]
    Object {
        /// The token's label.
        token: String,
        /// The URI, without a PIN.
        uri: String,
        /// What is there instead.
        problem: String,
    },
    /// The token wants a PIN and did not get it.
    #[error("token {token:?} wants a PIN: {problem}")]
    Pin {
        /// The token's label.
        token: String,
        /// What to do.
        problem: String,
    },
    /// The PIN was wrong once, and is not tried again: tokens lock themselves after a few wrong ones.
    #[error(
        "token {token:?} does not accept the PIN ({problem}); it is not tried again, so that the token does not lock itself: correct pin-source and start again"
    )]
    WrongPin {
        /// The token's label.
        token: String,
        /// What it said.
        problem: String,
    },
    /// A call of PKCS#11 failed.
    #[error("token {token:?}: {problem}; is it plugged in?")]
    Pkcs11 {
        /// The token's label.
        token: String,
        /// The call and its CKR_ code.
        problem: String,
    },
    /// The key file cannot be used.
    #[error("key {file}: {problem}")]
    KeyFile {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificate file cannot be used.
    #[error("certificate_file {file}: {problem}")]
    CertificateFile {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is a key and no certificate.
    #[error("{holder} holds a key and no certificate for it; name the certificate with certificate_file")]
    NoCertificate {
        /// What holds the key.
        holder: String,
    },
    /// A certificate that came with the key is damaged, or for another key.
    #[error("the certificate in {holder} cannot be used: {problem}")]
    Certificate {
        /// What holds it.
        holder: String,
        /// Why.
        problem: String,
    },
    /// The key is of a kind that cannot be used here.
    #[error(
        "the key in {holder} is of a kind that is not supported; P-256, P-384, RSA and (in files) Ed25519 are"
    )]
    Kind {
        /// What holds the key.
        holder: String,
    },
    /// Such a key makes no such signature.
    #[error("the key in {holder} makes no signature of kind {scheme:?}")]
    Scheme {
        /// What holds the key.
        holder: String,
        /// What was wanted.
        scheme: SignatureScheme,
    },
    /// No certificate request can be made.
    #[error("no certificate request for the key in {holder}: {problem}")]
    Request {
        /// What holds the key.
        holder: String,
        /// Why.
        problem: String,
    },
    /// The signature does not verify with the public key, and was thrown away.
    #[error("{holder} made a wrong signature, which was thrown away; is another key there now?")]
    WrongSignature {
        /// What holds the key.
        holder: String,
    },
}

impl Error {
    /// Whether somebody must change files or settings first; otherwise it may help to try again.
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::NoModule(_)
                | Self::Module { .. }
                | Self::Pin { .. }
                | Self::WrongPin { .. }
                | Self::KeyFile { .. }
                | Self::CertificateFile { .. }
                | Self::NoCertificate { .. }
                | Self::Certificate { .. }
                | Self::Kind { .. }
                | Self::Request { .. }
        )
    }
}
