//! How the server is reached: what is dialled, through which proxy, with which versions of TLS.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Template;
use crate::dial::{Destination, Password, Proxy, proxy_of_environment};
use crate::mqtt::Version;
use crate::tls::Versions;

/// What `proxy` says in place of a URL, to have the environment asked.
const ENVIRONMENT: &str = "environment";
/// The credential of systemd (`LoadCredential=`) that is the proxy's password.
const CREDENTIAL: &str = "proxy_password";

/// `proxy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Typed {
    Environment,
    Named(Proxy),
}

impl TryFrom<String> for Typed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == ENVIRONMENT { Ok(Self::Environment) } else { text.parse().map(Self::Named) }
    }
}

/// The proxy that is meant for `destination`, or the setting that is wrong and why. `variable` looks up a variable of the
/// environment.
pub(super) fn proxy(
    typed: Option<Typed>,
    password_file: Option<PathBuf>,
    destination: &Destination,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, (&'static str, String)> {
    let proxy = match typed {
        None => None,
        Some(Typed::Named(proxy)) => Some(proxy),
        Some(Typed::Environment) => {
            proxy_of_environment(destination, &variable).map_err(|problem| ("proxy", problem))?
        }
    };
    match (proxy, password_file) {
        (Some(proxy), Some(file)) if proxy.wants_password() => {
            Ok(Some(proxy.with_password(Password::File(file))))
        }
        (_, Some(_)) => Err((
            "proxy_password_file",
            "it belongs to a `proxy` with a user and without a password, as \"http://user@host:3128\""
                .to_owned(),
        )),
        (Some(proxy), None) if proxy.wants_password() => {
            let credential =
                variable("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL));
            Ok(Some(match credential.filter(|file| file.exists()) {
                Some(file) => proxy.with_password(Password::File(file)),
                None => proxy,
            }))
        }
        (proxy, None) => Ok(proxy),
    }
}

/// `mqtt`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) enum Mqtt {
    #[default]
    #[serde(rename = "3.1.1")]
    V311,
    #[serde(rename = "5")]
    V5,
}

impl From<Mqtt> for Version {
    fn from(typed: Mqtt) -> Self {
        match typed {
            Mqtt::V311 => Self::V311,
            Mqtt::V5 => Self::V5,
        }
    }
}

/// `[last_will]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LastWill {
    /// Its topic.
    pub(super) topic: Template,
    /// Its content.
    pub(super) message: Template,
    #[serde(default)]
    pub(super) retain: bool,
}

/// `tls`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) enum Tls {
    #[default]
    #[serde(rename = "any")]
    Any,
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

impl From<Tls> for Versions {
    fn from(typed: Tls) -> Self {
        match typed {
            Tls::Any => Self::Both,
            Tls::Tls12 => Self::Tls12,
            Tls::Tls13 => Self::Tls13,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn meant(text: &str, file: Option<&Path>, variables: &[(&str, &str)]) -> Result<Option<Proxy>, String> {
        let typed = Typed::try_from(text.to_owned()).unwrap();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let destination = Destination::new("broker.test", 8883);
        proxy(Some(typed), file.map(Path::to_owned), &destination, variable).map_err(|(_, problem)| problem)
    }

    #[test]
    fn a_password_is_in_the_url_a_file_or_a_credential() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proxy_password");
        std::fs::write(&file, "s3cret").unwrap();
        let directory = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
        for proxy in [
            meant("http://u:s3cret@p:1", None, &[]),
            meant("http://u@p:1", Some(&file), &[]),
            meant("http://u@p:1", None, &directory),
        ] {
            let proxy = proxy.unwrap().unwrap();
            assert_eq!(proxy.login().unwrap().unwrap().1.expose_secret(), "s3cret");
        }
        assert!(meant("http://u:other@p:1", Some(&file), &[]).is_err());
        assert!(meant("http://p:1", Some(&file), &[]).is_err());
    }

    #[test]
    fn the_environment_counts_only_if_asked_for() {
        let variables = [("https_proxy", "http://p:1")];
        assert_eq!(meant("environment", None, &variables).unwrap().unwrap().to_string(), "http://p:1");
        assert!(meant("environment", None, &[]).unwrap().is_none());
        let destination = Destination::new("broker.test", 8883);
        let all = |_: &str| Some("http://p:1".to_owned());
        assert!(proxy(None, None, &destination, all).unwrap().is_none());
    }
}
