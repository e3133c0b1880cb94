//! A certificate chain and the private key of its leaf, wherever that key is.
//!
//! A [`KeySource`] says where: this project's chip, a token of any PKCS#11 module (`pkcs11:` URI of RFC 7512), or a
//! PEM file. [`Key`] is the opened key, [`Identity`] a key with the certificates that go with it. Every signature is
//! verified with the public key before it leaves, so a fault in whatever made it is an error and nothing else.
//!
//! [`thing_name`] is the one mapping from a certificate to the name of a thing in AWS IoT Core.
#![forbid(unsafe_code)]

mod error;
mod identity;
mod key;
mod name;
mod pkcs11;
mod request;
mod scheme;
mod source;

pub use error::Error;
pub use identity::Identity;
pub use key::{Key, Sign};
pub use name::{is_thing_name, thing_name};
pub use pkcs11::{Pkcs11Uri, UriError};
pub use rustls::SignatureScheme;
pub use source::{KeySource, SourceError};
pub use x509_cert::Certificate;
