//! Messages that the server would not take: one file each, to be looked at with any tool.
//!
//! The first line of a file is JSON (`topic`, `problem`, `at_ms`, `bytes`); what follows is the payload as it came.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::message::now_ms;

const FOLDER: &str = "quarantine";
const ENDING: &str = "message";
/// The block of most file systems.
const BLOCK: u64 = 4096;

/// A message in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// Its topic.
    pub topic: String,
    /// Why it is there.
    pub problem: String,
    /// When it was put there, in milliseconds since 1970.
    pub at_ms: u64,
    /// The length of its payload.
    pub bytes: u64,
    /// The file it is in; `None` for an outbox in memory, which keeps none.
    pub file: Option<PathBuf>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Header {
    topic: String,
    problem: String,
    at_ms: u64,
    bytes: u64,
}

/// What is in the quarantine of an outbox, the oldest first. Works while the agent runs.
///
/// # Errors
/// When the folder cannot be read; a missing one is empty.
pub fn quarantined(folder: &Path) -> io::Result<Vec<Quarantined>> {
    let mut found = Vec::new();
    for file in files(&folder.join(FOLDER))? {
        let mut line = String::new();
        BufReader::new(fs::File::open(&file)?).read_line(&mut line)?;
        // A file that is no message of ours is none of our business.
        let Ok(Header { topic, problem, at_ms, bytes }) = serde_json::from_str(&line) else { continue };
        found.push(Quarantined { topic, problem, at_ms, bytes, file: Some(file) });
    }
    Ok(found)
}

/// Whether a message that is put aside had been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// It had, so it is safe on disk before it leaves the outbox.
    Accepted,
    /// It was refused, and its sender is told: the operating system writes it when it likes to, so that somebody who sends
    /// nothing else does not hold up the others.
    Refused,
}

/// Where such messages are kept, and how many.
#[derive(Debug)]
pub(super) struct Quarantine {
    folder: Option<PathBuf>,
    most_bytes: u64,
    /// The files with what each takes, the oldest first; `None`: not looked at yet.
    kept: Option<VecDeque<(PathBuf, u64)>>,
}

impl Quarantine {
    /// `folder` is that of the outbox; without one nothing is kept.
    pub(super) fn new(folder: Option<&Path>, most_bytes: u64) -> Self {
        Self { folder: folder.map(|folder| folder.join(FOLDER)), most_bytes, kept: None }
    }

    /// Keeps a message under its number, and deletes the oldest if all together take too much. Where that fails it is at
    /// least described.
    pub(super) fn put(
        &mut self,
        number: u64,
        message: (&str, &[u8]),
        problem: &str,
        care: Care,
    ) -> Quarantined {
        let (topic, payload) = message;
        let mut header = Header {
            // A topic that is far too long need not be kept in full.
            topic: topic.chars().take(512).collect(),
            problem: problem.to_owned(),
            at_ms: now_ms(),
            bytes: u64::try_from(payload.len()).unwrap_or(u64::MAX),
        };
        let file = match self.write(number, &header, payload, care) {
            Ok(file) => file,
            Err(error) => {
                header.problem = format!("{problem}; it could not be kept: {error}");
                None
            }
        };
        let Header { topic, problem, at_ms, bytes } = header;
        Quarantined { topic, problem, at_ms, bytes, file }
    }

    fn write(
        &mut self,
        number: u64,
        header: &Header,
        payload: &[u8],
        care: Care,
    ) -> io::Result<Option<PathBuf>> {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let Some(folder) = self.folder.clone() else { return Ok(None) };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut text = serde_json::to_vec(header)?;
        text.push(b'\n');
        let takes = on_disk(u64::try_from(text.len() + payload.len()).unwrap_or(u64::MAX));
        self.make_room(&folder, takes)?;
        // Under its name only when it is whole.
        let name = folder.join(format!("{number:020}"));
        let (partial, whole) = (name.with_extension("part"), name.with_extension(ENDING));
        let mut file =
            fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(&text)?;
        file.write_all(payload)?;
        if care == Care::Accepted {
            file.sync_all()?;
        }
        fs::rename(&partial, &whole)?;
        if care == Care::Accepted {
            fs::File::open(&folder)?.sync_all()?;
        }
        self.kept.get_or_insert_default().push_back((whole.clone(), takes));
        Ok(Some(whole))
    }

    /// Deletes the oldest until `bytes` more fit. One that is larger than all that is allowed stays alone.
    fn make_room(&mut self, folder: &Path, bytes: u64) -> io::Result<()> {
        let kept = match &mut self.kept {
            Some(kept) => kept,
            None => {
                let length = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
                let with_size = files(folder)?.into_iter().map(|file| {
                    let takes = on_disk(length(&file));
                    (file, takes)
                });
                self.kept.insert(with_size.collect())
            }
        };
        let mut total: u64 = kept.iter().map(|(_, takes)| takes).sum();
        while total.saturating_add(bytes) > self.most_bytes
            && let Some((file, takes)) = kept.pop_front()
        {
            total -= takes;
            match fs::remove_file(&file) {
                // Somebody has looked at it, and taken it away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        Ok(())
    }
}

/// What a file of this length takes: a small one a whole block, too. It also bounds how many there are.
fn on_disk(bytes: u64) -> u64 {
    bytes.saturating_add(BLOCK - 1) / BLOCK * BLOCK
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == ENDING) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_and_listed_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(quarantined(folder.path()).unwrap(), []);
        let mut quarantine = Quarantine::new(Some(folder.path()), 2 * BLOCK);
        for number in 1..=2 {
            quarantine.put(number, ("a", &[7; 200]), "too deep", Care::Refused);
        }
        // As after a restart.
        let mut quarantine = Quarantine::new(Some(folder.path()), 2 * BLOCK);
        quarantine.put(3, ("a", &[7; 200]), "too deep", Care::Accepted);
        let listed = quarantined(folder.path()).unwrap();
        assert_eq!(listed.len(), 2, "the oldest had to go");
        assert_eq!((listed[0].topic.as_str(), listed[0].bytes), ("a", 200));
        let file = listed[1].file.as_ref().unwrap();
        assert!(file.ends_with("quarantine/00000000000000000003.message"));
        assert!(fs::read(file).unwrap().ends_with(&[7; 200]));
    }

    #[test]
    fn what_cannot_be_kept_is_described_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER), "not a folder").unwrap();
        let described =
            Quarantine::new(Some(folder.path()), 1 << 20).put(1, ("a", b"x"), "too deep", Care::Refused);
        assert!(described.file.is_none() && described.problem.contains("could not be kept"), "{described:?}");
    }
}
