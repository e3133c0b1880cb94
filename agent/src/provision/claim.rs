//! What a gateway that is nobody yet proves that it may ask with.

use std::path::Path;
use std::sync::Arc;

use identity::{Identity, Key};
use serde::Deserialize;

use super::Error;
use super::krypton::{self, Bootstrap};
use super::secret::Secret;
use crate::config::{self, Config};

/// A certificate that allows to ask, and nothing else.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) identity: Identity,
    /// The client id that goes with it.
    pub(super) client_id: Option<String>,
}

/// The answer of `CreateProvisioningClaim` (API reference of AWS IoT), as `aws iot` prints it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    certificate_pem: String,
    key_pair: KeyPair,
}

#[derive(Deserialize)]
struct KeyPair {
    #[serde(rename = "PrivateKey")]
    private_key: Secret,
}

impl Claim {
    pub(super) async fn obtain(
        claim: &config::Claim,
        template: &str,
        config: &Config,
    ) -> Result<Self, Error> {
        match claim {
            config::Claim::Shared { key, certificate } => {
                let identity = Identity::open(key, certificate.as_deref()).map_err(Error::Claim)?;
                Ok(Self { identity, client_id: None })
            }
            config::Claim::TrustedUser(file) => of_trusted_user(file, template),
            config::Claim::Krypton(settings) => {
                let told = krypton::bootstrap(settings.clone()).await?;
                check_host(&told, config)?;
                let Bootstrap { certificate, private_key, client_id, .. } = told;
                // In memory only: it is worth nothing any more once this gateway has its own.
                let identity =
                    of_pem(&certificate, &private_key, "Krypton's answer").map_err(Error::Claim)?;
                Ok(Self { identity, client_id })
            }
        }
    }
}

/// A key must not be used with a server that agent.toml does not mean.
pub(super) fn check_host(told: &Bootstrap, config: &Config) -> Result<(), Error> {
    match &told.host {
        Some(host) if !host.eq_ignore_ascii_case(&config.endpoint) => {
            Err(Error::OtherEndpoint { told: host.clone(), endpoint: config.endpoint.clone() })
        }
        _ => Ok(()),
    }
}

fn of_trusted_user(file: &Path, template: &str) -> Result<Claim, Error> {
    let text = std::fs::read(file).map_err(|source| Error::NoClaim {
        file: file.to_owned(),
        template: template.to_owned(),
        source,
    })?;
    let made: Made = serde_json::from_slice(&text)
        .map_err(|error| Error::ClaimFile { file: file.to_owned(), problem: error.to_string() })?;
    let identity = of_pem(&made.certificate_pem, &made.key_pair.private_key, &file.display().to_string());
    Ok(Claim { identity: identity.map_err(Error::Claim)?, client_id: None })
}

fn of_pem(certificate: &str, key: &Secret, name: &str) -> Result<Identity, identity::Error> {
    Identity::from_pem(certificate, name, Arc::new(Key::from_pem(key.reveal(), name)?))
}
