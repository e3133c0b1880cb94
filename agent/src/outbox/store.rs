//! The database: messages by number, and how much they are together. No thread and no policy here.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition,
};

use super::message::{Record, now_ms};

/// Messages by their number, which is their order.
const MESSAGES: TableDefinition<u64, &[u8]> = TableDefinition::new("messages");
/// Under 0: how many messages there are, and their bytes. In the same commit as every change, so that a large backlog
/// need not be read at start.
const TOTALS: TableDefinition<u8, (u64, u64)> = TableDefinition::new("totals");
/// Pages that the database keeps in memory. The window of the feed makes a larger cache useless.
const CACHE: usize = 512 * 1024;
/// A file of this size is not kept when it has become empty: redb gives no space back by itself.
const LARGE: u64 = 4 << 20;
/// What is read from the file system's free space before messages are added, so that there is room to remove them.
const RESERVE: u64 = 1 << 20;

/// Messages of an unknown form that are read at once.
const MOST_FOREIGN: usize = 16;

/// The name of the database in its folder.
pub(crate) const FILE: &str = "outbox.redb";

pub(super) struct Store {
    database: Database,
    folder: Option<PathBuf>,
    totals: Totals,
    last: u64,
    buffer: Vec<u8>,
}

/// What is in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// One commit.
#[derive(Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) insert: &'a [(u64, Record)],
    pub(super) remove: &'a [u64],
}

/// Some messages out of the database.
#[derive(Debug, Default)]
pub(super) struct Extract {
    pub(super) records: Vec<(u64, Record)>,
    /// Messages whose form this version of the agent does not know.
    pub(super) foreign: Vec<(u64, Vec<u8>)>,
}

impl Extract {
    /// The newest message of both kinds.
    pub(super) fn newest(&self) -> Option<u64> {
        let records = self.records.last().map(|(number, _)| *number);
        records.max(self.foreign.last().map(|(number, _)| *number))
    }
}

/// Why something did not work, as far as it makes a difference.
#[derive(Debug)]
pub(super) enum Failure {
    /// No space, or a quota.
    DiskFull,
    /// Another process has it.
    InUse,
    /// The file is not what was written.
    Damaged(String),
    /// Anything else, which may pass.
    Other(String),
}

impl Store {
    /// Opens or makes the database; reads and verifies all of it if it was not closed in good order.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, Failure> {
        guarded(|| {
            let database = open_database(folder)?;
            let (totals, last) = read_totals(&database)?;
            let store =
                Self { database, folder: folder.map(Path::to_owned), totals, last, buffer: Vec::new() };
            store.without_waste()
        })
    }

    /// Begins a large file without messages anew, after which the database is small again.
    pub(super) fn renewed(self) -> Result<Self, Failure> {
        guarded(|| self.without_waste())
    }

    fn without_waste(self) -> Result<Self, Failure> {
        if !self.is_wasteful() {
            return Ok(self);
        }
        let Self { database, folder, buffer, .. } = self;
        drop(database);
        let folder = folder.as_deref();
        if let Some(folder) = folder {
            fs::remove_file(folder.join(FILE)).map_err(|error| io_failure(&error))?;
        }
        let database = open_database(folder)?;
        let (totals, last) = read_totals(&database)?;
        Ok(Self { database, folder: folder.map(Path::to_owned), totals, last, buffer })
    }

    /// Whether it would be smaller if it were begun anew.
    pub(super) fn is_wasteful(&self) -> bool {
        let large = |folder: &PathBuf| fs::metadata(folder.join(FILE)).is_ok_and(|file| file.len() > LARGE);
        self.totals.messages == 0 && self.folder.as_ref().is_some_and(large)
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// The number of the newest message, or one below the number that the next shall have at least.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether the file system has room for `bytes` more.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        let Some(folder) = &self.folder else { return true };
        // Twice: pages are partly filled, and the old ones are free only after the commit.
        let needed = bytes.saturating_mul(2).saturating_add(RESERVE);
        rustix::fs::statvfs(folder)
            .map_or(true, |system| system.f_bavail.saturating_mul(system.f_frsize) >= needed)
    }

    /// Makes a change, all of it or nothing, and returns when it is on disk.
    ///
    /// After a failure the store must be opened again.
    pub(super) fn commit(&mut self, change: &Change<'_>) -> Result<(), Failure> {
        let buffer = &mut self.buffer;
        let database = &self.database;
        let before = self.totals;
        let totals = guarded(|| {
            let mut totals = before;
            let transaction = database.begin_write().map_err(|error| failure(error.into()))?;
            {
                let mut table = transaction.open_table(MESSAGES).map_err(|error| failure(error.into()))?;
                for number in change.remove {
                    if let Some(bytes) = table.remove(number).map_err(|error| failure(error.into()))? {
                        let size = Record::decode(bytes.value())
                            .map_or(foreign_size(bytes.value()), |record| record.size());
                        totals.messages = totals.messages.saturating_sub(1);
                        totals.bytes = totals.bytes.saturating_sub(size);
                    }
                }
                for (number, record) in change.insert {
                    buffer.clear();
                    if record.encode(buffer).is_none() {
                        continue;
                    }
                    table.insert(number, buffer.as_slice()).map_err(|error| failure(error.into()))?;
                    totals.messages += 1;
                    totals.bytes += record.size();
                }
                if totals.messages == 0 {
                    totals.bytes = 0;
                }
                let mut table = transaction.open_table(TOTALS).map_err(|error| failure(error.into()))?;
                table.insert(0, (totals.messages, totals.bytes)).map_err(|error| failure(error.into()))?;
            }
            transaction.commit().map_err(|error| failure(error.into()))?;
            Ok(totals)
        })?;
        self.totals = totals;
        if let Some((number, _)) = change.insert.last() {
            self.last = *number;
        }
        Ok(())
    }

    /// Messages after number `after` in their order, as long as `enough` has not said so.
    pub(super) fn read(
        &self,
        after: u64,
        mut enough: impl FnMut(&Record) -> bool,
    ) -> Result<Extract, Failure> {
        guarded(|| {
            let mut extract = Extract::default();
            let transaction = self.database.begin_read().map_err(|error| failure(error.into()))?;
            let table = match transaction.open_table(MESSAGES) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(extract),
                Err(error) => return Err(failure(error.into())),
            };
            for entry in table.range(after + 1..).map_err(|error| failure(error.into()))? {
                let (number, bytes) = entry.map_err(|error| failure(error.into()))?;
                let number = number.value();
                let Some(record) = Record::decode(bytes.value()) else {
                    extract.foreign.push((number, bytes.value().to_vec()));
                    if extract.foreign.len() >= MOST_FOREIGN {
                        break;
                    }
                    continue;
                };
                let last = enough(&record);
                extract.records.push((number, record));
                if last {
                    break;
                }
            }
            Ok(extract)
        })
    }
}

/// Renames a damaged database, so that somebody can look at it, and gives its new name.
pub(super) fn set_aside(folder: &Path) -> io::Result<PathBuf> {
    let aside = folder.join(format!("{FILE}.damaged-{}", now_ms()));
    fs::rename(folder.join(FILE), &aside)?;
    sync_folder(folder)?;
    Ok(aside)
}

/// A message of an unknown form was counted with about as much.
fn foreign_size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The name of a new file is safe only when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn open_database(folder: Option<&Path>) -> Result<Database, Failure> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    let opened = match folder {
        None => builder.create_with_backend(InMemoryBackend::new()),
        Some(folder) => {
            let path = folder.join(FILE);
            let is_new = !path.exists();
            let file = open_file(&path).map_err(|error| io_failure(&error))?;
            if is_new {
                sync_folder(folder).map_err(|error| io_failure(&error))?;
            }
            // Otherwise a file that something else has altered may be trusted.
            builder.set_check_integrity_on_open(true);
            builder.create_with_backend(FileBackend::new(file).map_err(|error| failure(error.into()))?)
        }
    };
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => Failure::InUse,
        DatabaseError::UpgradeRequired(_) | DatabaseError::RepairAborted => {
            Failure::Damaged(error.to_string())
        }
        error => failure(error.into()),
    })
}

/// Only for this user: messages may be secret.
fn open_file(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)
}

fn read_totals(database: &Database) -> Result<(Totals, u64), Failure> {
    let transaction = database.begin_read().map_err(|error| failure(error.into()))?;
    let totals = match transaction.open_table(TOTALS) {
        Ok(table) => table.get(0).map_err(|error| failure(error.into()))?.map(|totals| totals.value()),
        Err(redb::TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(failure(error.into())),
    };
    let (messages, bytes) = totals.unwrap_or_default();
    let last = match transaction.open_table(MESSAGES) {
        Ok(table) => table.last().map_err(|error| failure(error.into()))?.map(|(number, _)| number.value()),
        Err(redb::TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(failure(error.into())),
    };
    // Numbers go on from the clock, so that those in the quarantine are not given again after an empty outbox.
    let last = last.unwrap_or(0).max(now_ms().saturating_mul(1000));
    Ok((Totals { messages, bytes }, last))
}

/// A damaged file can make the database panic; that is an answer like another.
fn guarded<T>(action: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(action))
        .unwrap_or_else(|_| Err(Failure::Damaged("the database library gave up on it".to_owned())))
}

fn failure(error: redb::Error) -> Failure {
    match error {
        redb::Error::Io(error) => io_failure(&error),
        redb::Error::Corrupted(problem) => Failure::Damaged(problem),
        error => Failure::Other(error.to_string()),
    }
}

fn io_failure(error: &io::Error) -> Failure {
    use io::ErrorKind::{FileTooLarge, InvalidData, QuotaExceeded, StorageFull, UnexpectedEof};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => Failure::DiskFull,
        InvalidData | UnexpectedEof => Failure::Damaged(error.to_string()),
        _ => Failure::Other(error.to_string()),
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        failure(error.into())
    }
}
