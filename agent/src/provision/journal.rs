//! How far it has come, on disk, so that a lost process or lost power strands nobody.
//!
//! `provision.json` is there from the moment a certificate was made for this device until the certificate is in its place.
//! It holds the ownership token, and a key that the server made, so nobody but the agent may read it.
//! `provisioned.json` stays, and says what the certificate in place stands for.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity::{Identity, Key};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Error;
use super::files::{self, PRIVATE, PUBLIC, SHARED};
use super::secret::Secret;

const UNFINISHED: &str = "provision.json";
const RECORD: &str = "provisioned.json";
const CONFIGURATION: &str = "device-configuration.json";
const LOCK: &str = "provision.lock";

/// The journal in a folder, of one process at a time.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    _lock: File,
}

/// What was done last.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// There is a certificate, and no thing yet.
    Created(Pending),
    /// There is a thing; key and certificate are not in their place yet.
    Registered(Granted),
}

/// A certificate that waits for RegisterThing.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Pending {
    pub(super) certificate: String,
    /// A key that the server made.
    pub(super) private_key: Option<Secret>,
    pub(super) token: Secret,
    /// RegisterThing may have been sent: the token may be used up.
    pub(super) asked: bool,
}

/// A certificate that may be used.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Granted {
    pub(super) certificate: String,
    /// A key that the server made.
    pub(super) private_key: Option<Secret>,
    pub(super) thing_name: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) configuration: Option<BTreeMap<String, Value>>,
}

/// What a certificate in its place stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// The SHA-256 digest of the certificate in DER, as AWS IoT names it: 64 lower-case hexadecimal digits.
    pub certificate_id: String,
    /// The thing, if the service named one.
    pub thing_name: Option<String>,
    /// The MQTT client id, if the service demands one.
    pub client_id: Option<String>,
    /// When it was put in its place, in seconds since 1970 of this machine's clock.
    pub since: u64,
}

impl Journal {
    /// Opens the journal in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::File { file: folder.join(LOCK), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(PRIVATE).open(folder.join(LOCK));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether something in `folder` was begun and not finished.
    pub(super) fn is_unfinished(folder: &Path) -> bool {
        folder.join(UNFINISHED).exists()
    }

    /// What was begun and not finished.
    pub(super) fn unfinished(&self) -> Result<Option<Entry>, Error> {
        let file = self.folder.join(UNFINISHED);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { file, source }),
        };
        let entry = serde_json::from_slice(&text).ok();
        if entry.is_none() {
            tracing::warn!(file = %file.display(), "what was begun cannot be read, and is begun anew");
        }
        Ok(entry)
    }

    pub(super) fn save(&self, entry: &Entry) -> Result<(), Error> {
        self.write(UNFINISHED, entry, PRIVATE)
    }

    /// Forgets what was begun.
    pub(super) fn clear(&self) -> Result<(), Error> {
        let file = self.folder.join(UNFINISHED);
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::File { file, source }),
            _ => Ok(()),
        }
    }

    pub(super) fn record(&self, record: &Record) -> Result<(), Error> {
        self.write(RECORD, record, PUBLIC)
    }

    /// Puts what the service configures the device with where other programs of the agent's group find it: there may be
    /// secrets in it. Gives the file.
    pub(super) fn configure(&self, configuration: &BTreeMap<String, Value>) -> Result<PathBuf, Error> {
        self.write(CONFIGURATION, configuration, SHARED)?;
        Ok(self.folder.join(CONFIGURATION))
    }

    fn write(&self, name: &str, content: &impl Serialize, mode: u32) -> Result<(), Error> {
        let file = self.folder.join(name);
        let text = serde_json::to_vec_pretty(content).map_err(io::Error::from);
        text.and_then(|text| files::replace(&file, &text, mode))
            .map_err(|source| Error::File { file, source })
    }
}

/// What is recorded in `folder` about the certificate of `identity`, if that is the one.
pub(super) fn record_of(folder: &Path, identity: &Identity) -> Option<Record> {
    let text = fs::read(folder.join(RECORD)).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    (record.certificate_id == certificate_id(identity.chain().first()?)).then_some(record)
}

/// The id that AWS IoT gives a certificate (DER): its SHA-256 digest.
pub(super) fn certificate_id(der: &[u8]) -> String {
    Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The certificate of `pem` with the key that it is for: `own`, or else `issued`.
pub(super) fn identity(
    certificate: &str,
    issued: Option<&Secret>,
    own: Option<&Arc<Key>>,
) -> Result<Identity, identity::Error> {
    let key = match (own, issued) {
        (Some(own), None) => own.clone(),
        (None, Some(issued)) => Arc::new(Key::from_pem(issued.reveal(), "the key that was sent")?),
        (Some(_), Some(_)) | (None, None) => {
            let problem = "it is not for the key that is configured now".to_owned();
            return Err(identity::Error::Certificate { holder: "the answer".to_owned(), problem });
        }
    };
    Identity::from_pem(certificate, "the answer", key)
}

impl Entry {
    /// The certificate with its key, if it is for the key that is configured now.
    pub(super) fn identity(&self, own: Option<&Arc<Key>>) -> Option<Identity> {
        let (certificate, issued) = match self {
            Self::Created(pending) => (&pending.certificate, pending.private_key.as_ref()),
            Self::Registered(granted) => (&granted.certificate, granted.private_key.as_ref()),
        };
        identity(certificate, issued, own).ok()
    }
}
