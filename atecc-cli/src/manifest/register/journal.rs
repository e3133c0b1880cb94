//! What is done, on disk, so that a run that was killed goes on where it was.
//!
//! A file of JSON lines that is only added to. The first says what it is about, each other names a chip for which
//! everything is in place. A line that a loss of power tore is dropped with all behind it: its chips are asked about
//! again, and found.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{super::chip::Chip, registrar::Outcome};

/// So much work a loss of power may repeat.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);
const KIND: &str = "atecc manifest register";
const VERSION: u32 = 1;

/// What a journal is about. For anything else another one is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    /// The SHA-256 of the file, in hexadecimal digits.
    pub(super) manifest: String,
    /// That of the account in the region, to which devices connect; no two have the same.
    pub(super) endpoint: String,
    pub(super) thing_name: String,
    pub(super) group: Option<String>,
    pub(super) policy: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    journal: String,
    version: u32,
    #[serde(flatten)]
    subject: Subject,
}

#[derive(Serialize, Deserialize)]
struct Line {
    entry: usize,
    certificate: String,
    thing: String,
    result: Done,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Registered,
    AlreadyThere,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum JournalError {
    #[error(
        "the journal {path} cannot be kept: {source}; without it a run that ends early begins anew, so free some \
         space or name another place with --journal",
        path = path.display()
    )]
    Io { path: PathBuf, source: io::Error },
    #[error("another run keeps the journal {path}; let it end, or stop it with Ctrl-C", path = path.display())]
    InUse { path: PathBuf },
    #[error("{path} is not a journal of this program, and stays as it is; name another file with --journal", path = path.display())]
    NotAJournal { path: PathBuf },
    #[error(
        "the journal {path} is about another {what}; name another file with --journal, or delete it: what is \
         registered already is found again",
        path = path.display()
    )]
    Other { path: PathBuf, what: &'static str },
}

/// A journal that is open, and locked until it is dropped.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    done: HashSet<usize>,
    /// Since when something is written that the disk may not have.
    unsynced: Option<Instant>,
}

impl Journal {
    /// Begins one in `path`, or goes on with the one that is there.
    pub(super) fn open(path: &Path, subject: &Subject) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.into(), source };
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.into() }),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut journal = Self { path: path.into(), file, done: HashSet::new(), unsynced: None };
        let good = journal.read(subject)?;
        journal.file.set_len(good).map_err(io)?;
        if good == 0 {
            let head = Head { journal: KIND.into(), version: VERSION, subject: subject.clone() };
            journal.write(&head)?;
            journal.sync()?;
            // The name of the file, too.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(journal)
    }

    /// How many chips the journal in `path` says are done, if it is there. Nothing is changed.
    pub(super) fn look(path: &Path, subject: &Subject) -> Result<usize, JournalError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(source) => return Err(JournalError::Io { path: path.into(), source }),
        };
        let mut journal = Self { path: path.into(), file, done: HashSet::new(), unsynced: None };
        journal.read(subject)?;
        Ok(journal.len())
    }

    /// Whether everything is in place for the chip of this entry.
    pub(super) fn is_done(&self, entry: usize) -> bool {
        self.done.contains(&entry)
    }

    /// How many are done.
    pub(super) fn len(&self) -> usize {
        self.done.len()
    }

    /// Everything is in place for this chip.
    pub(super) fn add(&mut self, chip: &Chip, outcome: Outcome) -> Result<(), JournalError> {
        let result = match outcome {
            Outcome::Registered => Done::Registered,
            Outcome::AlreadyThere => Done::AlreadyThere,
        };
        let (entry, certificate, thing) = (chip.entry, chip.id(), chip.thing.clone());
        self.write(&Line { entry, certificate, thing, result })?;
        self.done.insert(entry);
        if self.unsynced.get_or_insert_with(Instant::now).elapsed() > SYNC_INTERVAL {
            self.sync()?;
        }
        Ok(())
    }

    /// Waits until the disk has it.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        self.unsynced = None;
        self.file.sync_data().map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        let mut text = serde_json::to_vec(line).map_err(|error| io(error.into()))?;
        text.push(b'\n');
        // In one call, so that what a killed process leaves is a whole line.
        self.file.write_all(&text).map_err(io)
    }

    /// How long the good part is, in bytes.
    fn read(&mut self, subject: &Subject) -> Result<u64, JournalError> {
        let Self { path, file, done, .. } = self;
        let io = |source| JournalError::Io { path: path.clone(), source };
        let mut reader = BufReader::new(&*file);
        let (mut line, mut good) = (Vec::new(), 0);
        loop {
            line.clear();
            // Longer lines are none of ours.
            let length = io::Read::take(&mut reader, 4096).read_until(b'\n', &mut line).map_err(io)?;
            let text = line.strip_suffix(b"\n");
            if good == 0 {
                match text.map(serde_json::from_slice::<Head>) {
                    Some(Ok(head)) if head.journal == KIND && head.version == VERSION => {
                        check(&head.subject, subject)
                            .map_err(|what| JournalError::Other { path: path.clone(), what })?;
                    }
                    // Nothing, or the head that was about to be written.
                    None if b"{\"journal\":\"atecc".starts_with(line.get(..17).unwrap_or(&line)) => {
                        return Ok(0);
                    }
                    _ => return Err(JournalError::NotAJournal { path: path.clone() }),
                }
            } else {
                match text.map(serde_json::from_slice::<Line>) {
                    Some(Ok(line)) => done.insert(line.entry),
                    _ => return Ok(good),
                };
            }
            good += length as u64;
        }
    }
}

fn check(kept: &Subject, wanted: &Subject) -> Result<(), &'static str> {
    match () {
        () if kept.manifest != wanted.manifest => Err("manifest"),
        () if kept.endpoint != wanted.endpoint => Err("account or region"),
        () if kept.thing_name != wanted.thing_name => Err("--thing-name"),
        () if kept.group != wanted.group => Err("--group"),
        () if kept.policy != wanted.policy => Err("--policy"),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn subject() -> Subject {
        Subject {
            manifest: "aa".into(),
            endpoint: "a1-ats.iot.eu-west-1.amazonaws.com".into(),
            thing_name: "{name}".into(),
            group: Some("pumps".into()),
            policy: None,
        }
    }

    fn chip(entry: usize) -> Chip {
        let (certificate, signer) = (vec![1, 2, 3], Vec::new());
        Chip { entry, serial_number: "01".into(), thing: format!("sn{entry}"), certificate, signer }
    }

    #[test]
    fn what_is_done_is_known_the_next_time_wherever_the_file_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, &subject()).unwrap();
        for entry in 1..=3 {
            journal.add(&chip(entry), Outcome::Registered).unwrap();
        }
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut journal = Journal::open(&path, &subject()).unwrap();
            let lines = ends.iter().filter(|end| **end < length).count();
            assert_eq!(journal.len(), lines.saturating_sub(1), "{length}");
            journal.add(&chip(7), Outcome::AlreadyThere).unwrap();
            drop(journal);
            let journal = Journal::open(&path, &subject()).unwrap();
            assert!(journal.is_done(7) && journal.len() == lines.saturating_sub(1) + 1);
        }
        // Blocks that the disk never got, before others that it did.
        let mut holes = whole.clone();
        holes[ends[1] + 5..ends[2]].fill(0);
        fs::write(&path, &holes).unwrap();
        assert_eq!(Journal::open(&path, &subject()).unwrap().len(), 1);
    }

    #[test]
    fn a_journal_about_something_else_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(Journal::open(&path, &subject()).unwrap());
        let before = fs::read(&path).unwrap();
        let others = [
            ("manifest", Subject { manifest: "bb".into(), ..subject() }),
            ("account or region", Subject { endpoint: "a2".into(), ..subject() }),
            ("--thing-name", Subject { thing_name: "{serial}".into(), ..subject() }),
            ("--group", Subject { group: None, ..subject() }),
            ("--policy", Subject { policy: Some("p".into()), ..subject() }),
        ];
        for (what, other) in others {
            let error = Journal::open(&path, &other).unwrap_err().to_string();
            assert!(error.contains(&format!("another {what};")), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        let held = Journal::open(&path, &subject()).unwrap();
        assert!(matches!(Journal::open(&path, &subject()), Err(JournalError::InUse { .. })));
        drop(held);

        for text in ["[1]\n", "notes", "{\"journal\":\"dear diary\"}\n", "\0\0\0"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Journal::open(&path, &subject()), Err(JournalError::NotAJournal { .. })));
            assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
        }
    }
}
