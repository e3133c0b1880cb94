//! Keys in tokens of any PKCS#11 module.

mod attributes;
mod key;
mod mechanism;
mod module;
mod token;
mod uri;

pub(crate) use key::TokenKey;
pub use uri::{Pkcs11Uri, UriError};
