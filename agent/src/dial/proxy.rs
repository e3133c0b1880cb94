//! `proxy = "http://user@host:3128"`: which proxy, and who we are there.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Destination, Error};

/// The port of a SOCKS proxy that names none (IANA).
const SOCKS_PORT: u16 = 1080;

/// Which protocol a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `http://`: HTTP with the method CONNECT (RFC 9110, section 9.3.6).
    Http,
    /// `socks5://`: SOCKS 5 (RFC 1928), with names looked up here.
    Socks5,
    /// `socks5h://`: SOCKS 5, with names looked up by the proxy.
    Socks5h,
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    destination: Destination,
    login: Option<Login>,
}

/// Where a password is.
#[derive(Clone)]
#[non_exhaustive]
pub enum Password {
    /// Here. It prints as nothing.
    Given(SecretString),
    /// The first line of a file, which is read whenever it is needed.
    File(PathBuf),
}

#[derive(Clone, PartialEq, Eq)]
struct Login {
    user: String,
    password: Option<Password>,
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(one), Self::Given(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Password {}

impl Proxy {
    /// Its protocol.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Whether it is told a user name, but no password is known yet.
    #[must_use]
    pub fn wants_password(&self) -> bool {
        self.login.as_ref().is_some_and(|login| login.password.is_none())
    }

    /// The same with the password in another place, if it is told a user name.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        if let Some(login) = &mut self.login {
            login.password = Some(password);
        }
        self
    }

    /// User name and password to log in with, if it wants any.
    ///
    /// # Errors
    /// When the file with the password cannot be read.
    pub fn login(&self) -> Result<Option<(&str, SecretString)>, Error> {
        let Some(Login { user, password }) = &self.login else { return Ok(None) };
        let password = match password {
            None => SecretString::default(),
            Some(Password::Given(password)) => password.clone(),
            Some(Password::File(file)) => {
                let text = std::fs::read_to_string(file).map(SecretString::from);
                let text = text.map_err(|source| Error::Password { file: file.clone(), source })?;
                text.expose_secret().lines().next().unwrap_or_default().to_owned().into()
            }
        };
        Ok(Some((user, password)))
    }
}

impl FromStr for Proxy {
    type Err = String;

    /// The error never repeats the text, which may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "a proxy is \"http://user@host:3128\", \"socks5://host:1080\" or \"socks5h://host:1080\"";
        let url = Url::parse(text).map_err(|error| format!("{FORM}: {error}"))?;
        let (kind, port) = match url.scheme() {
            "http" => (Kind::Http, url.port_or_known_default().unwrap_or(80)),
            "socks5" => (Kind::Socks5, url.port().unwrap_or(SOCKS_PORT)),
            "socks5h" => (Kind::Socks5h, url.port().unwrap_or(SOCKS_PORT)),
            "https" => return Err(format!("{FORM}; to a proxy itself there is no TLS here, so not https")),
            _ => return Err(FORM.to_owned()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{FORM}, with nothing behind the port"));
        }
        let decoded = |part: &str| {
            let part = percent_decode_str(part).decode_utf8().map(|part| part.into_owned());
            part.ok().filter(|part| !part.contains(['\r', '\n'])).ok_or_else(|| format!("{FORM}, in UTF-8"))
        };
        let user = decoded(url.username())?;
        let password = url.password().map(decoded).transpose()?;
        if user.is_empty() && password.is_some() {
            return Err(format!("{FORM}; a password needs a user"));
        }
        if kind == Kind::Http && user.contains(':') {
            return Err(
                "the user name for an HTTP proxy cannot have a colon (RFC 7617, section 2)".to_owned()
            );
        }
        let password = password.map(|password| Password::Given(password.into()));
        let login = (!user.is_empty()).then_some(Login { user, password });
        Ok(Self { kind, destination: Destination::new(host, port), login })
    }
}

/// As it is configured, without a password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
        };
        match &self.login {
            None => write!(f, "{scheme}://{}", self.destination),
            Some(Login { user, .. }) => write!(f, "{scheme}://{user}@{}", self.destination),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("[REDACTED]"),
            Self::File(file) => file.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_port_and_an_address_of_each_family() {
        for (text, kind, destination) in [
            ("http://proxy:3128", Kind::Http, "proxy:3128"),
            ("http://proxy/", Kind::Http, "proxy:80"),
            ("socks5://192.0.2.1", Kind::Socks5, "192.0.2.1:1080"),
            ("socks5h://[2001:db8::1]:9050", Kind::Socks5h, "[2001:db8::1]:9050"),
        ] {
            let proxy: Proxy = text.parse().unwrap();
            assert_eq!((proxy.kind(), proxy.destination().to_string().as_str()), (kind, destination));
            assert!(proxy.login().unwrap().is_none());
        }
    }

    #[test]
    fn what_cannot_be_a_proxy_is_refused_and_not_repeated() {
        for bad in [
            "proxy:3128",
            "https://u:s3cret@proxy:3128",
            "ftp://u:s3cret@proxy",
            "http://:s3cret@proxy",
            "http://u:s3cret@proxy/path",
            "http://a%3Ab:s3cret@proxy",
            "http://u%0d%0aX: s3cret@proxy",
            "http://",
            "",
        ] {
            let error = bad.parse::<Proxy>().unwrap_err();
            assert!(!error.contains("s3cret") && !error.contains('\n'), "{bad}: {error}");
        }
    }

    #[test]
    fn the_password_comes_from_the_text_or_a_file_and_is_printed_nowhere() {
        let proxy: Proxy = "http://gate%40way:s3cr%C3%A9t@proxy:3128".parse().unwrap();
        let (user, password) = proxy.login().unwrap().unwrap();
        assert_eq!((user, password.expose_secret()), ("gate@way", "s3crét"));
        assert!(!proxy.wants_password());
        assert_eq!(format!("{proxy:?}"), "Proxy(http://gate@way@proxy:3128)");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let proxy: Proxy = "socks5h://gateway@proxy".parse().unwrap();
        assert!(proxy.wants_password());
        let proxy = proxy.with_password(Password::File(file.clone()));
        let error = proxy.login().unwrap_err().to_string();
        assert!(error.contains("proxy_password_file") && error.contains("password"), "{error}");
        std::fs::write(&file, "s3cret\nignored\n").unwrap();
        assert_eq!(proxy.login().unwrap().unwrap().1.expose_secret(), "s3cret");
    }
}
