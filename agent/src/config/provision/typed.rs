//! `[provision]` as it is typed, and which of its settings go together.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use identity::KeySource;
use serde::Deserialize;

use super::super::Template;
use super::super::values::Key;
use super::{Access, Claim, Fleet, Format, KeyOrigin, Krypton, Provision, Way};

/// For machines on a line of SORACOM's (SORACOM Krypton, "SORACOM Air line authentication").
const CELLULAR_URL: &str = "https://krypton.soracom.io:8036";
/// For SIM authentication; https://api.soracom.io for SIMs of the Japanese coverage.
const SIM_URL: &str = "https://g.api.soracom.io";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Typed {
    template: Option<String>,
    claim_key: Option<Key>,
    claim_certificate: Option<PathBuf>,
    claim_file: Option<PathBuf>,
    key: Option<Origin>,
    #[serde(default)]
    new_key: bool,
    format: Option<Format>,
    rotate_days: Option<NonZeroU32>,
    #[serde(default)]
    parameters: BTreeMap<String, Template>,
    krypton: Option<TypedKrypton>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Own,
    Issued,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedKrypton {
    access: AccessKind,
    url: Option<Url>,
    ca_file: Option<PathBuf>,
    sim_command: Option<Vec<String>>,
    imsi: Option<String>,
    #[serde(default)]
    parameters: serde_json::Map<String, serde_json::Value>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccessKind {
    Cellular,
    Sim,
}

/// The answers hold private keys.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Url(String);

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = text.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(format!("url {text:?} must begin with https://, since private keys come from there"));
        }
        Ok(Self(format!("https://{host}")))
    }
}

/// The settings outside of `[provision]` that say where a key and a certificate are.
pub(in super::super) struct Home<'a> {
    /// The state folder of the agent.
    pub(in super::super) folder: Option<&'a Path>,
    pub(in super::super) key: &'a mut Option<KeySource>,
    pub(in super::super) certificate_file: &'a mut Option<PathBuf>,
    /// `device` or `slot` is typed.
    pub(in super::super) is_in_chip: bool,
    /// The slot, if one is typed.
    pub(in super::super) slot: Option<u8>,
}

impl Typed {
    /// What is meant, and in `home` where key and certificate will be. The error says what does not fit.
    pub(in super::super) fn meant(
        self,
        beside: impl Fn(&Path) -> PathBuf,
        home: Home<'_>,
    ) -> Result<Provision, String> {
        let Some(folder) = home.folder else {
            return Err("the agent has no folder for its state".to_owned());
        };
        let folder = folder.to_owned();
        let krypton = self.krypton.map(|typed| typed.meant(&beside)).transpose()?;
        let claims = [self.claim_key.is_some(), self.claim_file.is_some(), krypton.is_some()];
        if claims.into_iter().filter(|is_there| *is_there).count() != 1 {
            return Err("[provision] needs one of `claim_key` (a claim certificate that devices share), `claim_file` (made by a trusted user) and [provision.krypton]".to_owned());
        }
        if self.claim_certificate.is_some() && self.claim_key.is_none() {
            return Err("`claim_certificate` belongs to `claim_key`, which is missing".to_owned());
        }
        let origin = self.key.unwrap_or(if self.template.is_some() { Origin::Own } else { Origin::Issued });
        let way = match (self.template, krypton, self.claim_key, self.claim_file) {
            (Some(template), krypton, key, file) => {
                let claim = match (krypton, key, file) {
                    (Some(krypton), ..) => Claim::Krypton(krypton),
                    (None, Some(key), _) => Claim::Shared {
                        key: key.0.relative_to(&beside(Path::new(""))),
                        certificate: self.claim_certificate.as_deref().map(&beside),
                    },
                    (None, None, file) => Claim::TrustedUser(beside(&file.unwrap_or_default())),
                };
                check_template(&template)?;
                let format = self.format.unwrap_or_default();
                Way::Fleet(Fleet { template, claim, parameters: self.parameters, format })
            }
            (None, Some(krypton), ..) if origin == Origin::Issued => Way::Krypton(krypton),
            (None, ..) => {
                return Err("`template`, the name of the fleet provisioning template, is missing".to_owned());
            }
        };
        let rotate = self.rotate_days.map(|days| Duration::from_secs(86_400 * u64::from(days.get())));
        if rotate.is_some() && !matches!(way, Way::Krypton(_)) {
            return Err("`rotate_days` is for keys that Krypton issues (no `template`)".to_owned());
        }
        let key = match origin {
            Origin::Own => own_key(self.new_key, &folder, home)?,
            Origin::Issued if self.new_key => {
                return Err("`new_key` makes a key in the chip, and `key = \"issued\"` takes one that the server makes; one of them is enough".to_owned());
            }
            Origin::Issued => issued_key(&folder, home)?,
        };
        Ok(Provision { folder, way, key, rotate, names_thing: false, names_client: false })
    }
}

fn own_key(new: bool, folder: &Path, home: Home<'_>) -> Result<KeyOrigin, String> {
    if new && (home.key.is_some() || !home.slot.is_some_and(|slot| (2..=4).contains(&slot))) {
        return Err("`new_key` makes a key in the chip's slot 2, 3 or 4; say which with `slot` (and allow it with overwrite = true in atecc.toml)".to_owned());
    }
    home.certificate_file.get_or_insert_with(|| folder.join("certificate.pem"));
    Ok(KeyOrigin::Own { new })
}

/// One file takes key and certificate, so that both are replaced at once.
fn issued_key(folder: &Path, home: Home<'_>) -> Result<KeyOrigin, String> {
    let is_file = matches!(home.key, None | Some(KeySource::File(_)));
    if home.is_in_chip || !is_file {
        return Err("an issued key goes into a file: `key` names it, or nothing does; `device` and `slot` have no place beside it".to_owned());
    }
    if home.certificate_file.is_some() {
        return Err(
            "an issued key and its certificate are in one file, that of `key`; leave out `certificate_file`"
                .to_owned(),
        );
    }
    home.key.get_or_insert_with(|| KeySource::File(folder.join("device.pem")));
    Ok(KeyOrigin::Issued)
}

/// API reference of AWS IoT, `CreateProvisioningTemplate`: 1 to 36 characters. The name stands in topics.
fn check_template(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=36).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("template {name:?} is no name of a template, which has 1 to 36 letters, digits, `_` and `-`"))
}

impl TypedKrypton {
    fn meant(self, beside: impl Fn(&Path) -> PathBuf) -> Result<Krypton, String> {
        let (access, url) = match self.access {
            AccessKind::Cellular => {
                if self.sim_command.is_some() || self.imsi.is_some() {
                    return Err("`sim_command` and `imsi` are for access = \"sim\"".to_owned());
                }
                (Access::Cellular, CELLULAR_URL)
            }
            AccessKind::Sim => {
                let command = self.sim_command.filter(|command| !command.is_empty());
                let command =
                    command.ok_or("access = \"sim\" needs `sim_command`, the program that asks the SIM")?;
                (Access::Sim { command, imsi: self.imsi }, SIM_URL)
            }
        };
        Ok(Krypton {
            access,
            url: self.url.map_or_else(|| url.to_owned(), |url| url.0),
            ca_file: self.ca_file.as_deref().map(beside),
            parameters: self.parameters,
        })
    }
}
