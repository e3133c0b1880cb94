//! Messages that the server would not take: one file each, to be looked at with any tool.
//!
//! The first line of a file is JSON (`topic`, `problem`, `at_ms`, `bytes`); what follows is the payload as it came.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::message::now_ms;

const FOLDER: &str = "quarantine";
const ENDING: &str = "message";

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

/// Keeps a message under its number, and deletes the oldest if all together take more than `most_bytes`.
pub(super) fn put(
    folder: Option<&Path>,
    most_bytes: u64,
    number: u64,
    (topic, payload): (&str, &[u8]),
    problem: &str,
) -> io::Result<Quarantined> {
    let header = Header {
        // A topic that is far too long need not be kept in full.
        topic: topic.chars().take(512).collect(),
        problem: problem.to_owned(),
        at_ms: now_ms(),
        bytes: u64::try_from(payload.len()).unwrap_or(u64::MAX),
    };
    let file = match folder {
        Some(folder) => Some(write(&folder.join(FOLDER), most_bytes, number, &header, payload)?),
        None => None,
    };
    let Header { topic, problem, at_ms, bytes } = header;
    Ok(Quarantined { topic, problem, at_ms, bytes, file })
}

fn write(
    folder: &Path,
    most_bytes: u64,
    number: u64,
    header: &Header,
    payload: &[u8],
) -> io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    make_room(folder, most_bytes.saturating_sub(header.bytes))?;
    // Under its name only when it is whole.
    let name = folder.join(format!("{number:020}"));
    let (partial, whole) = (name.with_extension("part"), name.with_extension(ENDING));
    let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    serde_json::to_writer(&mut file, header)?;
    file.write_all(b"\n")?;
    file.write_all(payload)?;
    file.sync_all()?;
    fs::rename(&partial, &whole)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(whole)
}

fn make_room(folder: &Path, most_bytes: u64) -> io::Result<()> {
    let files = files(folder)?;
    let length = |file: &PathBuf| fs::metadata(file).map_or(0, |metadata| metadata.len());
    let mut total: u64 = files.iter().map(length).sum();
    for file in &files {
        if total <= most_bytes {
            break;
        }
        total -= length(file).min(total);
        fs::remove_file(file)?;
    }
    Ok(())
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
        for number in 1..=3 {
            put(Some(folder.path()), 600, number, ("a", &[7; 200]), "too deep").unwrap();
        }
        let listed = quarantined(folder.path()).unwrap();
        assert_eq!(listed.len(), 2, "the oldest had to go");
        assert_eq!((listed[0].topic.as_str(), listed[0].bytes), ("a", 200));
        let file = listed[1].file.as_ref().unwrap();
        assert!(file.ends_with("quarantine/00000000000000000003.message"));
        assert!(fs::read(file).unwrap().ends_with(&[7; 200]));
    }
}
