//! `[outbox]`: where messages wait for the server, and how many may.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::outbox::{Options, Sync, WhenFull};

/// Where the outbox is if neither the configuration nor systemd (`StateDirectory=`) says so.
const FOLDER: &str = "/var/lib/atecc-agent";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outbox {
    folder: Option<PathBuf>,
    megabytes: Option<NonZeroU32>,
    hours: Option<NonZeroU32>,
    when_full: Option<Full>,
    sync: Option<When>,
    group_milliseconds: Option<u16>,
    quarantine_megabytes: Option<NonZeroU32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Full {
    Refuse,
    DropOldest,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum When {
    Each,
    Group,
}

impl Outbox {
    /// What is meant. `beside` resolves a path of the configuration.
    pub(super) fn options(self, beside: impl Fn(&Path) -> PathBuf) -> Options {
        let mut options = Options::in_folder(match self.folder {
            Some(folder) => beside(&folder),
            None => std::env::var_os("STATE_DIRECTORY").map_or_else(|| FOLDER.into(), PathBuf::from),
        });
        let bytes = |megabytes: NonZeroU32| u64::from(megabytes.get()) << 20;
        options.most_bytes = self.megabytes.map_or(options.most_bytes, bytes);
        options.quarantine_bytes = self.quarantine_megabytes.map_or(options.quarantine_bytes, bytes);
        options.longest_wait = self.hours.map(|hours| Duration::from_secs(3600 * u64::from(hours.get())));
        options.when_full = match self.when_full {
            None | Some(Full::Refuse) => WhenFull::Refuse,
            Some(Full::DropOldest) => WhenFull::DropOldest,
        };
        options.sync = match self.sync {
            Some(When::Each) => Sync::Each,
            None | Some(When::Group) => {
                Sync::Group(Duration::from_millis(self.group_milliseconds.unwrap_or(0).into()))
            }
        };
        options
    }
}
