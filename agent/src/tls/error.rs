//! What can go wrong before and in the handshake, in the words of somebody who has to repair it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};
use x509_cert::der::DateTime;

/// An error of TLS, or of the files that it needs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The CA file cannot be read.
    #[error(
        "cannot read ca_file {file}: {source}; for AWS, fetch https://www.amazontrust.com/repository/AmazonRootCA1.pem"
    )]
    CaFile {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The CA file was read and is no list of CA certificates.
    #[error("ca_file {file} holds no usable CA certificate in PEM form: {problem}")]
    CaFileContent {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The endpoint is no host name.
    #[error(
        "endpoint {0:?} is no host name; use what `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints"
    )]
    Endpoint(String),
    /// The TLS library refuses the settings.
    #[error("cannot configure TLS: {0}")]
    Settings(#[source] rustls::Error),
    /// The key did not sign.
    #[error("no signature: {0}")]
    Sign(#[source] identity::Error),
    /// The key did not sign in the handshake.
    #[error("TLS handshake with {endpoint}: {problem}")]
    Key {
        /// The server.
        endpoint: String,
        /// What [`Error::Sign`] said.
        problem: String,
    },
    /// The server's certificate leads to another root.
    #[error("the server's certificate is not signed by the CA in {ca_file}; is that the CA of {endpoint}?")]
    UntrustedServer {
        /// The server.
        endpoint: String,
        /// The file with the roots.
        ca_file: PathBuf,
    },
    /// The server's certificate is for other names.
    #[error("the server at {endpoint} shows a certificate for another name; check `endpoint` and `address`")]
    WrongServer {
        /// The server.
        endpoint: String,
    },
    /// The server's certificate is not valid now, as far as this machine's clock tells.
    #[error(
        "the server's certificate of {endpoint} is not valid at this time ({problem}); is the clock of this machine right? `timedatectl set-ntp true` has the network set it"
    )]
    NotValidNow {
        /// The server.
        endpoint: String,
        /// Expired, or not valid yet.
        problem: String,
    },
    /// The server shares no application protocol with us.
    #[error("{endpoint} does not accept the ALPN protocol we offer; check `port` and `alpn`")]
    NoAlpn {
        /// The server.
        endpoint: String,
    },
    /// The server ended the handshake because of our certificate.
    #[error(
        "{endpoint} refuses our certificate (TLS alert {alert}); is it, or its signer, registered there?"
    )]
    CertificateRefused {
        /// The server.
        endpoint: String,
        /// The alert's name.
        alert: String,
    },
    /// Any other failure in the handshake.
    #[error("TLS handshake with {endpoint} failed: {source}")]
    Handshake {
        /// The server.
        endpoint: String,
        /// The TLS library's error.
        source: rustls::Error,
    },
    /// The connection broke in the handshake.
    #[error(
        "the connection to {endpoint} broke in the TLS handshake: {source}; is that a TLS port, and are `endpoint` and `alpn` right?"
    )]
    Broken {
        /// The server.
        endpoint: String,
        /// What the socket said.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether somebody must change files or settings first; otherwise it may help to try again.
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::CaFile { .. } | Self::CaFileContent { .. } | Self::Endpoint(_) | Self::Settings(_)
        )
    }

    /// What an I/O error of a TLS stream means. `None`: nothing of TLS is in it.
    pub(crate) fn from_stream(error: &std::io::Error, endpoint: &str, ca_file: &Path) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(explain(error, endpoint.to_owned(), ca_file))
    }
}

fn explain(error: &rustls::Error, endpoint: String, ca_file: &Path) -> Error {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => {
                Error::UntrustedServer { endpoint, ca_file: ca_file.to_owned() }
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Error::WrongServer { endpoint },
            Bad::ExpiredContext { time, not_after } => {
                let (end, now) = (date(*not_after), date(*time));
                Error::NotValidNow {
                    endpoint,
                    problem: format!("it ended at {end}, and the clock here says {now}"),
                }
            }
            Bad::NotValidYetContext { time, not_before } => {
                let (begin, now) = (date(*not_before), date(*time));
                let problem = format!("it begins at {begin}, and the clock here says {now}, which is behind");
                Error::NotValidNow { endpoint, problem }
            }
            Bad::Expired | Bad::NotValidYet => Error::NotValidNow { endpoint, problem: bad.to_string() },
            _ => Error::Handshake { endpoint, source: error.clone() },
        },
        rustls::Error::Other(other) => match other.0.downcast_ref::<Error>() {
            Some(sign @ Error::Sign(_)) => Error::Key { endpoint, problem: sign.to_string() },
            _ => Error::Handshake { endpoint, source: error.clone() },
        },
        rustls::Error::NoApplicationProtocol => Error::NoAlpn { endpoint },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::NoApplicationProtocol => Error::NoAlpn { endpoint },
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => {
                Error::CertificateRefused { endpoint, alert: format!("{alert:?}") }
            }
            _ => Error::Handshake { endpoint, source: error.clone() },
        },
        _ => Error::Handshake { endpoint, source: error.clone() },
    }
}

/// As in ISO 8601.
fn date(time: UnixTime) -> String {
    let seconds = Duration::from_secs(time.as_secs());
    // Later than the year 9999.
    DateTime::from_unix_duration(seconds).map_or_else(|_| format!("{seconds:?}"), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(error: rustls::Error) -> String {
        let error = std::io::Error::other(error);
        Error::from_stream(&error, "broker.test", Path::new("/etc/ca.pem")).unwrap().to_string()
    }

    #[test]
    fn a_wrong_root_names_the_file() {
        let text = explained(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert!(
            text.starts_with("the server's certificate is not signed by the CA in /etc/ca.pem"),
            "{text}"
        );
    }

    #[test]
    fn a_wrong_clock_is_suspected_and_both_times_are_told() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let (time, not_before) = (at(86400), at(1_700_000_000));
        let context = CertificateError::NotValidYetContext { time, not_before };
        let text = explained(rustls::Error::InvalidCertificate(context));
        assert!(
            text.contains("begins at 2023-11-14T22:13:20Z") && text.contains("says 1970-01-02T"),
            "{text}"
        );
    }

    #[test]
    fn an_alert_about_our_certificate_leads_to_the_registry() {
        let text = explained(rustls::Error::AlertReceived(AlertDescription::CertificateUnknown));
        assert!(text.contains("registered"), "{text}");
    }

    #[test]
    fn a_silent_key_is_told_as_such() {
        let problem = "no answer on the bus".to_owned();
        let sign = Error::Sign(identity::Error::Pkcs11 { token: "a".to_owned(), problem });
        let text = explained(rustls::Error::Other(rustls::OtherError(std::sync::Arc::new(sign))));
        assert!(text.starts_with("TLS handshake with broker.test: no signature: "), "{text}");
        assert!(text.contains("no answer on the bus"), "{text}");
    }

    #[test]
    fn an_ordinary_error_is_not_explained_away() {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(Error::from_stream(&reset, "broker.test", Path::new("ca")).is_none());
    }
}
