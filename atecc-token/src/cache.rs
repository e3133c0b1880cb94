//! What a chip cannot change, kept on the disk from one process to the next.
//!
//! A file per chip in a folder of the user's own: the configuration zone, the primary public key and what the
//! certificates are made of. Nothing of it is secret, and nothing is believed: when it is read, the certificates
//! are rebuilt for this serial number and this key, and verified up to the root. Keys of other slots are never in
//! it, since others may make new ones.

mod entry;
mod folder;
#[cfg(test)]
mod tests;

use std::{fs, io, path::PathBuf, time::SystemTime};

use atecc::SerialNumber;

pub(crate) use entry::Entry;

use crate::config::{has_more_rights_than_its_caller, trusted_variable};

/// More chips than a person has. The oldest entries go first: trials make a chip after the other.
const MAX_ENTRIES: usize = 64;

/// The cache of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// That of this user: $XDG_CACHE_HOME/atecc or ~/.cache/atecc. A process that runs with more rights than its
    /// caller has none: the caller says where home is.
    pub(crate) fn of_user() -> Option<Self> {
        if has_more_rights_than_its_caller() {
            return None;
        }
        let path = |name| trusted_variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))?;
        Some(Self::below(base))
    }

    /// The cache below `base`.
    pub(crate) fn below(base: PathBuf) -> Self {
        Self { folder: base.join("atecc") }
    }

    /// What is known of the chip `serial_number` behind a device of this kind. `start` is the first block of the
    /// configuration zone, as it is now.
    pub(crate) fn load(&self, kind: &str, serial_number: SerialNumber, start: &[u8]) -> Option<Entry> {
        let bytes = match folder::read(&self.folder, &name(kind, serial_number), Entry::SIZE) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::debug!(%error, "the cache is not used");
                }
                return None;
            }
        };
        Entry::parse(&bytes).filter(|entry| entry.zone.starts_with(start))
    }

    /// Keeps `entry`. A disk that takes nothing is no reason to fail.
    pub(crate) fn save(&self, kind: &str, serial_number: SerialNumber, entry: &Entry) {
        let name = name(kind, serial_number);
        if let Err(error) = folder::write(&self.folder, &name, &entry.to_bytes()) {
            tracing::debug!(%error, "the cache is not written");
            return;
        }
        self.discard_oldest();
    }

    /// Forgets the chip.
    pub(crate) fn forget(&self, kind: &str, serial_number: SerialNumber) {
        // It may not be there, and that it is still there shows at the next use.
        let _ = fs::remove_file(self.folder.join(name(kind, serial_number)));
    }

    fn discard_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        files.sort();
        let surplus = files.len().saturating_sub(MAX_ENTRIES);
        for (_, path) in files.into_iter().take(surplus) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The name of the file.
fn name(kind: &str, serial_number: SerialNumber) -> String {
    format!("{kind}-{serial_number}")
}
