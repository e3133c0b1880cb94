//! `pkcs11:` URIs (RFC 7512), as far as they name a private key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cryptoki::types::AuthPin;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Which private key of which token of which module.
///
/// In the path, before `?`, each narrows down what is meant: `token`, `manufacturer`, `model`, `serial` and `slot-id`
/// the token; `object` (the label) and `id` (percent-encoded bytes) the key; `type` may only be `private`.
/// Behind `?` stand `module-path` (the library) or `module-name` (its file name without folder, `lib` and `.so`);
/// without either it is p11-kit's proxy, which shows the tokens of all modules that are configured on this machine. The
/// PIN, for tokens that want one, is in the file that `pin-source` names, or in `pin-value`.
///
/// Neither `Display` nor `Debug` show a `pin-value`.
#[derive(Clone)]
pub struct Pkcs11Uri {
    pub(super) token: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) slot_id: Option<u64>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) module_path: Option<PathBuf>,
    pub(super) module_name: Option<String>,
    pub(super) pin: Option<Pin>,
}

/// Where the PIN comes from.
#[derive(Clone)]
pub(super) enum Pin {
    Value(AuthPin),
    /// Read whenever it is needed.
    Source(PathBuf),
}

/// A text that is no `pkcs11:` URI of a private key. It does not repeat the text, which may hold a PIN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// A part is no `name=value`.
    #[error("a pkcs11: URI has parts of the form name=value, separated by `;` and, behind `?`, by `&`")]
    Form,
    /// An attribute that cannot be looked at.
    #[error("the attribute {0:?} of this pkcs11: URI is not known here; leave it out, or correct its name")]
    Unknown(String),
    /// An attribute stands there twice.
    #[error("the attribute {0:?} stands twice in this pkcs11: URI")]
    Twice(String),
    /// A value cannot be used.
    #[error("the attribute {name:?} of this pkcs11: URI {problem}")]
    Value {
        /// The attribute.
        name: String,
        /// What is wrong with its value.
        problem: &'static str,
    },
}

const SCHEME: &str = "pkcs11:";

impl Pkcs11Uri {
    /// Whether `text` begins as such a URI does. Schemes are case-insensitive (RFC 3986, section 3.1).
    pub(crate) fn is_meant(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }
}

impl FromStr for Pkcs11Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        if !Self::is_meant(text) {
            return Err(UriError::Form);
        }
        let (path, query) = text[SCHEME.len()..].split_once('?').unwrap_or((&text[SCHEME.len()..], ""));
        let mut path = Attributes::parse(path, ';')?;
        let kind = path.text("type")?;
        if kind.is_some_and(|kind| kind != "private") {
            return Err(UriError::Value { name: "type".to_owned(), problem: "must be `private` here" });
        }
        let slot_id = path.text("slot-id")?.map(|number| number.parse()).transpose();
        let not_a_number = |_| UriError::Value { name: "slot-id".to_owned(), problem: "must be a number" };
        let mut uri = Self {
            token: path.text("token")?,
            manufacturer: path.text("manufacturer")?,
            model: path.text("model")?,
            serial: path.text("serial")?,
            slot_id: slot_id.map_err(not_a_number)?,
            object: path.text("object")?,
            id: path.take("id"),
            module_path: None,
            module_name: None,
            pin: None,
        };
        // In the path, what is not known could be what tells one token from the other.
        path.nothing_left(|_| true)?;
        let mut query = Attributes::parse(query, '&')?;
        uri.module_path = query.text("module-path")?.map(PathBuf::from);
        uri.module_name = query.text("module-name")?;
        if uri.module_name.as_deref().is_some_and(|name| name.contains('/')) {
            let problem = "is a name without folder; use module-path for a path";
            return Err(UriError::Value { name: "module-name".to_owned(), problem });
        }
        uri.pin = match (query.text("pin-value")?, query.text("pin-source")?) {
            (Some(_), Some(_)) => {
                let problem = "stands beside pin-value; only one of them may";
                return Err(UriError::Value { name: "pin-source".to_owned(), problem });
            }
            (Some(value), None) => Some(Pin::Value(value.into())),
            (None, Some(source)) => Some(Pin::Source(pin_file(&source)?)),
            (None, None) => None,
        };
        // Vendors' own begin with x- and are no business of others.
        query.nothing_left(|name| !name.starts_with("x-"))?;
        Ok(uri)
    }
}

/// `pin-source` is a `file:` URI or a path (RFC 7512, section 2.4); `|command` runs a program, which this does not.
fn pin_file(source: &str) -> Result<PathBuf, UriError> {
    let path = source.strip_prefix("file:").unwrap_or(source);
    let path = path.strip_prefix("//").map_or(path, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
    if Path::new(path).is_absolute() {
        Ok(path.into())
    } else {
        let problem = "must be the absolute path of a file with the PIN";
        Err(UriError::Value { name: "pin-source".to_owned(), problem })
    }
}

/// What is left to be understood of path or query.
struct Attributes(Vec<(String, Vec<u8>)>);

impl Attributes {
    fn parse(text: &str, separator: char) -> Result<Self, UriError> {
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        for part in text.split(separator).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(UriError::Form)?;
            if all.iter().any(|(known, _)| known == name) {
                return Err(UriError::Twice(name.to_owned()));
            }
            all.push((name.to_owned(), percent_decode_str(value).collect()));
        }
        Ok(Self(all))
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, UriError> {
        let problem = "is no UTF-8";
        let text = self.take(name).map(String::from_utf8).transpose();
        text.map_err(|_| UriError::Value { name: name.to_owned(), problem })
    }

    fn nothing_left(self, counts: impl Fn(&str) -> bool) -> Result<(), UriError> {
        match self.0.into_iter().find(|(name, _)| counts(name)) {
            Some((name, _)) => Err(UriError::Unknown(name)),
            None => Ok(()),
        }
    }
}

/// What needs no escape in any place of a URI (RFC 3986, section 2.3), and the slashes of paths.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot_id = self.slot_id.map(|number| number.to_string());
        let path = [
            ("model", self.model.as_deref().map(str::as_bytes)),
            ("manufacturer", self.manufacturer.as_deref().map(str::as_bytes)),
            ("serial", self.serial.as_deref().map(str::as_bytes)),
            ("token", self.token.as_deref().map(str::as_bytes)),
            ("slot-id", slot_id.as_deref().map(str::as_bytes)),
            ("object", self.object.as_deref().map(str::as_bytes)),
            ("id", self.id.as_deref()),
        ];
        let source = match &self.pin {
            Some(Pin::Source(file)) => Some(file.as_os_str().as_encoded_bytes()),
            _ => None,
        };
        let query = [
            ("module-path", self.module_path.as_ref().map(|path| path.as_os_str().as_encoded_bytes())),
            ("module-name", self.module_name.as_deref().map(str::as_bytes)),
            ("pin-source", source),
        ];
        f.write_str(SCHEME)?;
        write_all(f, "", ";", &path)?;
        write_all(f, "?", "&", &query)
    }
}

type Part<'a> = (&'static str, Option<&'a [u8]>);

fn write_all(f: &mut fmt::Formatter<'_>, first: &str, next: &str, parts: &[Part<'_>]) -> fmt::Result {
    let mut before = first;
    for (name, value) in parts.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        write!(f, "{before}{name}={}", percent_encode(value, ESCAPED))?;
        before = next;
    }
    Ok(())
}

impl fmt::Debug for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Uri({self})")
    }
}

/// Two that say the same, PINs apart: what it names, not how it is opened.
impl PartialEq for Pkcs11Uri {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Pkcs11Uri {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Pkcs11Uri, UriError> {
        text.parse()
    }

    #[test]
    fn what_p11tool_prints_is_understood() {
        let text = "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=0f3c;token=gate%20way;id=%01%ab;object=key;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin&x-vendor=1";
        let uri = parse(text).unwrap();
        assert_eq!(uri.model.as_deref(), Some("SoftHSM v2"));
        assert_eq!(uri.token.as_deref(), Some("gate way"));
        assert_eq!(uri.id.as_deref(), Some(&[1, 0xab][..]));
        assert!(matches!(&uri.pin, Some(Pin::Source(file)) if file == Path::new("/etc/pin")));
        let printed = uri.to_string();
        assert_eq!(
            printed,
            "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=0f3c;token=gate%20way;object=key;id=%01%AB?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/pin"
        );
        assert_eq!(parse(&printed).unwrap(), uri);
    }

    #[test]
    fn a_pin_is_never_printed() {
        let uri = parse("pkcs11:token=a?pin-value=4711&module-name=softhsm2").unwrap();
        for text in [uri.to_string(), format!("{uri:?}"), format!("{:?}", crate::KeySource::Pkcs11(uri))] {
            assert!(!text.contains("4711") && text.contains("token=a"), "{text}");
        }
        let error = parse("pkcs11:token=a?pin-value=4711&pin-value=4712").unwrap_err();
        let errors = [
            error,
            parse("pkcs11:a;pin-value=4711").unwrap_err(),
            parse("pkcs11:pin-value=4711").unwrap_err(),
        ];
        for error in errors {
            assert!(!format!("{error} {error:?}").contains("471"), "{error}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        assert_eq!(parse("pkcs11:tokn=a").unwrap_err(), UriError::Unknown("tokn".to_owned()));
        assert_eq!(parse("pkcs11:token=a?module=b").unwrap_err(), UriError::Unknown("module".to_owned()));
        assert_eq!(parse("pkcs11:token=a;token=b").unwrap_err(), UriError::Twice("token".to_owned()));
        assert_eq!(parse("pkcs11:token").unwrap_err(), UriError::Form);
        for text in [
            "pkcs11:type=cert",
            "pkcs11:token=%ff",
            "pkcs11:slot-id=a",
            "pkcs11:?module-name=/a/b.so",
            "pkcs11:?pin-source=pin",
            "pkcs11:?pin-source=%7Cget-pin",
            "pkcs11:?pin-source=/a&pin-value=b",
        ] {
            assert!(matches!(parse(text), Err(UriError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn a_pin_source_may_be_a_path_or_a_uri() {
        for source in ["/etc/pin", "file:/etc/pin", "file:///etc/pin", "file://localhost/etc/pin"] {
            assert_eq!(pin_file(source).unwrap(), Path::new("/etc/pin"), "{source}");
        }
    }
}
