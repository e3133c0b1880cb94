//! HTTPS requests with JSON, as much as Krypton needs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Error;

/// How long a request may take, from the look-up of the name to the last byte.
const LIMIT: Duration = Duration::from_secs(60);
/// More than any answer has.
const LONGEST_ANSWER: u64 = 256 * 1024;

/// Makes requests.
pub(super) struct Http(ureq::Agent);

/// How SORACOM tells of errors.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    message: String,
}

impl Http {
    /// Trusts the CA certificates of `ca_file`, or else the public ones. Goes through the proxy that the environment names,
    /// unless it `is_direct`.
    pub(super) fn new(ca_file: Option<&Path>, is_direct: bool) -> Result<Self, Error> {
        let roots = match ca_file {
            None => RootCerts::WebPki,
            Some(file) => roots(file)?,
        };
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let mut config = ureq::Agent::config_builder();
        if is_direct {
            config = config.proxy(None);
        }
        let config = config
            .tls_config(tls)
            .https_only(true)
            // Keys come with the answer, and signatures go with the request: both are for that server alone.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(LIMIT))
            .build();
        Ok(Self(config.into()))
    }

    /// The answer to `body`.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        body: &str,
        headers: &[(&str, String)],
    ) -> Result<T, Error> {
        let (status, text) = self.send(url, body, headers)?;
        if status != 200 {
            return Err(refused(url, status, &text));
        }
        understand(url, &text)
    }

    /// The same where nothing is answered but that it is well.
    pub(super) fn post_for_nothing(&self, url: &str, body: &str) -> Result<(), Error> {
        let (status, text) = self.send(url, body, &[])?;
        if status == 200 { Ok(()) } else { Err(refused(url, status, &text)) }
    }

    /// The answer to `body` of a service that sends its challenge with status 401.
    pub(super) fn post_for_challenge<T: DeserializeOwned>(&self, url: &str, body: &str) -> Result<T, Error> {
        let (status, text) = self.send(url, body, &[])?;
        match understand(url, &text) {
            Ok(challenge) if status == 200 || status == 401 => Ok(challenge),
            Err(error) if status == 200 => Err(error),
            _ => Err(refused(url, status, &text)),
        }
    }

    fn send(&self, url: &str, body: &str, headers: &[(&str, String)]) -> Result<(u16, String), Error> {
        let failed = |source| Error::Unreachable { url: url.to_owned(), source: Box::new(source) };
        let mut request = self.0.post(url).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = request.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let text =
            response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string().map_err(failed)?;
        Ok((status, text))
    }
}

fn roots(file: &Path) -> Result<RootCerts, Error> {
    let unusable = |problem: String| Error::CaFile { file: file.to_owned(), problem };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
    let certificates: Vec<_> = certificates
        .map(|each| each.map(|der| Certificate::from_der(&der).to_owned()))
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it contains no `-----BEGIN CERTIFICATE-----`".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn refused(url: &str, status: u16, text: &str) -> Error {
    let Problem { code, message } = serde_json::from_str(text).unwrap_or_default();
    Error::Refused { url: url.to_owned(), status, code, message }
}

/// What serde says of a damaged answer names fields; it repeats no string of the right type.
fn understand<T: DeserializeOwned>(url: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Answer { url: url.to_owned(), problem: error.to_string() })
}
