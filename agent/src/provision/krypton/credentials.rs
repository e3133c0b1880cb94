//! Temporary credentials for AWS from Amazon Cognito, by Krypton.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use x509_cert::der::DateTime;

use super::Error;
use crate::config::Krypton;

const PATH: &str = "/v1/provisioning/aws/cognito/credentials";

/// Temporary credentials, in the form that AWS's SDKs and command line take from a `credential_process`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    version: u8,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    credentials: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    access_key_id: String,
    secret_key: String,
    session_token: String,
    expiration: Option<Value>,
}

/// Asks Krypton for temporary credentials.
///
/// # Errors
/// When the SIM or SORACOM does not do its part.
pub async fn credentials(settings: Krypton) -> Result<Credentials, Error> {
    let Answer { credentials: told } = super::call(settings, PATH).await?;
    Ok(Credentials {
        version: 1,
        access_key_id: told.access_key_id,
        secret_access_key: told.secret_key,
        session_token: told.session_token,
        expiration: told.expiration.as_ref().and_then(expiration),
    })
}

/// A text as it is; a number is milliseconds since 1970, or seconds if it is too small for that.
fn expiration(told: &Value) -> Option<String> {
    match told {
        Value::String(text) => Some(text.clone()),
        told => {
            let number = told.as_f64().filter(|number| (0.0..1e15).contains(number))?;
            let seconds = if number > 1e11 { number / 1000.0 } else { number };
            DateTime::from_unix_duration(Duration::from_secs_f64(seconds.floor()))
                .ok()
                .map(|time| time.to_string())
        }
    }
}

impl Credentials {
    /// The document that a `credential_process` prints. It holds secrets.
    pub fn to_json(&self) -> String {
        // Strings and fixed keys: nothing of it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_understood_in_each_form() {
        for told in [
            json!("2018-05-18T09:44:21Z"),
            json!(1_526_636_661_000_u64),
            json!(1_526_636_661),
            json!(1_526_636_661.5),
        ] {
            assert_eq!(expiration(&told).as_deref(), Some("2018-05-18T09:44:21Z"), "{told}");
        }
        assert_eq!(expiration(&json!(-1)), None);
        assert_eq!(expiration(&json!({})), None);
    }
}
