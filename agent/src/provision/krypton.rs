//! SORACOM Krypton: certificates and credentials for whoever holds a SIM.
//!
//! The SIM proves itself by the line that it is on ([`Access::Cellular`]), or by an authentication of the SIM that
//! SORACOM Endorse checks over any line ([`Access::Sim`]). Each bootstrap makes a new key.

mod credentials;
mod endorse;
mod error;
mod http;
mod sim;

use serde::Deserialize;
use serde_json::json;

use super::secret::Secret;
use crate::config::{Access, Krypton};
use endorse::Endorsement;
use http::Http;

pub use credentials::{Credentials, credentials};
pub use error::Error;
pub use sim::{Command, Outcome, Sim};

/// `POST` here registers the SIM as a thing of AWS IoT and gives its key and certificate.
const BOOTSTRAP: &str = "/v1/provisioning/aws/iot/bootstrap";

/// The answer to a bootstrap.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bootstrap {
    /// PEM.
    pub(super) certificate: String,
    /// PEM.
    pub(super) private_key: Secret,
    /// The endpoint of the account that SORACOM is configured for.
    pub(super) host: Option<String>,
    pub(super) client_id: Option<String>,
}

/// Asks for a new key and certificate.
pub(super) async fn bootstrap(settings: Krypton) -> Result<Bootstrap, Error> {
    call(settings, BOOTSTRAP).await
}

/// Posts to `path` with the proof that the settings ask for. Its thread may wait for the SIM.
async fn call<T: serde::de::DeserializeOwned + Send + 'static>(
    settings: Krypton,
    path: &'static str,
) -> Result<T, Error> {
    let work = move || {
        let is_direct = settings.access == Access::Cellular;
        let http = Http::new(settings.ca_file.as_deref(), is_direct)?;
        let url = format!("{}{path}", settings.url);
        let parameters = &settings.parameters;
        match &settings.access {
            Access::Cellular if parameters.is_empty() => http.post(&url, "", &[]),
            Access::Cellular => http.post(&url, &json!({ "requestParameters": parameters }).to_string(), &[]),
            Access::Sim { command, imsi } => {
                let mut sim = Command::new(command.clone(), imsi.clone());
                let endorsement = Endorsement::obtain(&http, &settings.url, &mut sim)?;
                let mut body = json!({ "keyId": endorsement.key_id });
                if !parameters.is_empty() {
                    body["requestParameters"] = json!(parameters);
                }
                let body = body.to_string();
                http.post(&url, &body, &endorsement.headers(&body, endorse::now_ms()))
            }
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Ended)?
}
