//! Where a private key is, as a string.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use atecc_token::{DeviceSpec, SpecError};

use crate::pkcs11::{Pkcs11Uri, UriError};

/// Where a private key is.
///
/// | string | key |
/// |---|---|
/// | `i2c:/dev/i2c-1`, `serial:...`, `unix:...`, `emulator:...` | the primary key of the chip that a [`DeviceSpec`] names |
/// | `pkcs11:token=gateway;object=key?module-path=/usr/lib/softhsm/libsofthsm2.so` | in a token, see [`Pkcs11Uri`] |
/// | `file:/etc/gateway/key.pem`, or a path alone | in a PEM file: PKCS#8, SEC1 or PKCS#1, without a password |
///
/// Printed, it is the same string, but for a PIN in the URI.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// In the chip that is there.
    Chip(DeviceSpec),
    /// In a token of a PKCS#11 module.
    Pkcs11(Pkcs11Uri),
    /// In a PEM file.
    File(PathBuf),
}

/// A string that says of no key where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It begins as a device spec, and is none.
    #[error(transparent)]
    Chip(#[from] SpecError),
    /// It begins as a `pkcs11:` URI, and is none.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// It is empty.
    #[error("a key is named by `pkcs11:...`, a device such as `i2c:/dev/i2c-1`, or the path of a PEM file")]
    Empty,
}

/// How device specs begin. A file whose name begins so is written as `file:NAME` or `./NAME`.
const CHIPS: [&str; 5] = ["emulator:", "i2c:", "serial:", "unix:", "rppal:"];

impl KeySource {
    /// The same, where the path of a file starts at `folder` if it is relative.
    #[must_use]
    pub fn relative_to(self, folder: &Path) -> Self {
        match self {
            Self::File(file) => Self::File(folder.join(file)),
            other => other,
        }
    }
}

impl FromStr for KeySource {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if Pkcs11Uri::is_meant(text) {
            return Ok(Self::Pkcs11(text.parse()?));
        }
        if CHIPS.iter().any(|chip| text.starts_with(chip)) {
            return Ok(Self::Chip(text.parse()?));
        }
        match text.strip_prefix("file:").unwrap_or(text) {
            "" => Err(SourceError::Empty),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chip(spec) => spec.fmt(f),
            Self::Pkcs11(uri) => uri.fmt(f),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_beginning() {
        for (text, is_right) in [
            ("i2c:/dev/i2c-1", (|source| matches!(source, KeySource::Chip(_))) as fn(&KeySource) -> bool),
            ("pkcs11:token=a", |source| matches!(source, KeySource::Pkcs11(_))),
            ("PKCS11:token=a", |source| matches!(source, KeySource::Pkcs11(_))),
            ("file:/a/key.pem", |source| *source == KeySource::File("/a/key.pem".into())),
            ("key.pem", |source| *source == KeySource::File("key.pem".into())),
        ] {
            let source: KeySource = text.parse().unwrap();
            assert!(is_right(&source), "{text}: {source:?}");
            assert_eq!(source.to_string().parse::<KeySource>().unwrap(), source);
        }
        assert!("".parse::<KeySource>().is_err() && "file:".parse::<KeySource>().is_err());
        assert!("i2c:/dev/i2c-1?adress=1".parse::<KeySource>().is_err());
    }

    #[test]
    fn only_a_file_depends_on_the_folder() {
        let file: KeySource = "key.pem".parse().unwrap();
        assert_eq!(file.relative_to(Path::new("/etc")), KeySource::File("/etc/key.pem".into()));
        let chip: KeySource = "emulator:chip".parse().unwrap();
        assert_eq!(chip.clone().relative_to(Path::new("/etc")), chip);
    }
}
