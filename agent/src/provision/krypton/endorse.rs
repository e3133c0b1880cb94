//! SORACOM Endorse: agreeing on a key by an authentication with the SIM, and signing requests with it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::http::Http;
use super::{Error, Outcome, Sim};

/// Challenges until it is given up: the second one is in step.
const CHALLENGES: u32 = 3;

/// A key that SORACOM knows to be this SIM's.
pub(super) struct Endorsement {
    pub(super) key_id: String,
    cipher_key: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Challenge {
    key_id: String,
    rand: String,
    autn: String,
}

impl Endorsement {
    /// Lets the SIM answer a challenge of `url`.
    pub(super) fn obtain(http: &Http, url: &str, sim: &mut impl Sim) -> Result<Self, Error> {
        let keys = format!("{url}/v1/keys");
        let imsi = sim.imsi()?;
        let mut body = json!({ "imsi": imsi });
        for _ in 0..CHALLENGES {
            let challenge: Challenge = http.post_for_challenge(&keys, &body.to_string())?;
            let Challenge { key_id, rand, autn } = challenge;
            let bytes = |text: &str| {
                let unusable = || Error::Answer {
                    url: keys.clone(),
                    problem: "`rand` and `autn` are not 16 bytes in Base64".to_owned(),
                };
                Base64::decode_vec(text).ok().filter(|bytes| bytes.len() == 16).ok_or_else(unusable)
            };
            // It becomes a part of a URL.
            if key_id.is_empty()
                || !key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
            {
                return Err(Error::Answer { url: keys, problem: "`keyId` is no identifier".to_owned() });
            }
            match sim.authenticate(&bytes(&rand)?, &bytes(&autn)?)? {
                Outcome::Known { response, cipher_key } => {
                    let body = json!({ "res": Base64::encode_string(&response) }).to_string();
                    http.post_for_nothing(&format!("{keys}/{key_id}/verify"), &body)?;
                    return Ok(Self { key_id, cipher_key });
                }
                Outcome::OutOfStep { token } => {
                    body = json!({ "imsi": imsi, "rand": rand, "auts": Base64::encode_string(&token) });
                }
            }
        }
        Err(Error::OutOfStep)
    }

    /// The headers that sign `body`.
    pub(super) fn headers(&self, body: &str, now_ms: u64) -> [(&'static str, String); 3] {
        let timestamp = now_ms.to_string();
        let digest = Sha256::new()
            .chain_update(body)
            .chain_update(&timestamp)
            .chain_update(&self.cipher_key)
            .finalize();
        [
            ("x-soracom-timestamp", timestamp),
            ("x-soracom-digest-algorithm", "SHA-256".to_owned()),
            ("x-soracom-signature", Base64::encode_string(&digest)),
        ]
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// printf '%s%s' '{"keyId":"k"}' 1700000000000 | cat - <(printf '\x01%.0s' {1..16}) | openssl dgst -sha256 -binary | base64
    #[test]
    fn a_signature_is_that_of_openssl() {
        let endorsement = Endorsement { key_id: "k".to_owned(), cipher_key: vec![1; 16] };
        let headers = endorsement.headers(r#"{"keyId":"k"}"#, 1_700_000_000_000);
        assert_eq!(headers[0].1, "1700000000000");
        assert_eq!(headers[2].1, "LjlBYyq3eNTkpgPF5UDW1BKPm3yGJg1QBH348UuoKhE=");
    }
}
