//! The entries of a manifest, one after another, however long it is.

use std::io::{self, Read};

use serde::de::IgnoredAny;

/// Longest entry that is read; those of Microchip have about 4 kB.
pub(super) const MAX_ENTRY: usize = 64 * 1024;
/// What is held of the file at a time.
const BUFFER: usize = 4 * MAX_ENTRY;

/// Why a file cannot be read on. Entries that came before it are good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReadError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(
        "it is no manifest, which begins with [; Microchip gives one signed JSON file per order, perhaps in a \
         zip archive that must be unpacked"
    )]
    NotAManifest,
    #[error(
        "entry {entry} is not JSON ({problem}, from byte {offset}); the file is damaged, so fetch it again"
    )]
    Syntax { entry: usize, offset: u64, problem: String },
    #[error("it ends within entry {entry}; the file is cut short, so fetch it again")]
    CutShort { entry: usize },
    #[error("entry {entry} is longer than {MAX_ENTRY} bytes; is this a manifest of chips?")]
    TooLong { entry: usize },
    #[error("something stands behind the manifest, from byte {offset}; one file holds one manifest")]
    Trailing { offset: u64 },
}

/// Splits a JSON array of objects into them.
#[derive(Debug)]
pub(super) struct Entries<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where in the buffer the rest begins.
    start: usize,
    /// How much of the file the buffer has lost.
    passed: u64,
    at_end_of_file: bool,
    state: State,
    /// The number of the next entry, from 1.
    entry: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    /// Behind the bracket that opens.
    First,
    /// Behind an entry.
    Between,
    End,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::with_capacity(BUFFER),
            start: 0,
            passed: 0,
            at_end_of_file: false,
            state: State::Start,
            entry: 1,
        }
    }

    /// The text of the next entry, a JSON value that begins with `{`; nothing behind the last one.
    ///
    /// # Errors
    /// When the file is no manifest, or ends before its time. There is no way to go on then.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        if self.state == State::End {
            return Ok(None);
        }
        if self.state == State::Start {
            match self.byte()? {
                Some(b'[') => self.state = State::First,
                _ => return Err(ReadError::NotAManifest),
            }
        }
        let mut byte = self.byte()?;
        match (self.state, byte) {
            (_, Some(b']')) => return self.end(),
            (State::Between, Some(b',')) => byte = self.byte()?,
            (State::Between, Some(_)) => return Err(self.syntax("expected , or ] in front of it")),
            _ => {}
        }
        match byte {
            Some(b'{') => {
                // It belongs to the entry.
                self.start -= 1;
                let entry = self.value()?;
                self.state = State::Between;
                self.entry += 1;
                Ok(Some(entry))
            }
            Some(_) => Err(self.syntax("expected {")),
            None => Err(ReadError::CutShort { entry: self.entry }),
        }
    }

    /// The next byte that is not white space.
    fn byte(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            while let Some(&byte) = self.buffer.get(self.start) {
                self.start += 1;
                if !byte.is_ascii_whitespace() {
                    return Ok(Some(byte));
                }
            }
            if self.at_end_of_file {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// The value that begins here.
    fn value(&mut self) -> Result<Vec<u8>, ReadError> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
            match values.next() {
                Some(Ok(_)) => {
                    let length = values.byte_offset();
                    if length > MAX_ENTRY {
                        return Err(ReadError::TooLong { entry: self.entry });
                    }
                    let entry = rest.get(..length).unwrap_or_default().to_vec();
                    self.start += length;
                    return Ok(entry);
                }
                Some(Err(error)) if !error.is_eof() => {
                    return Err(self.syntax(&without_position(&error)));
                }
                _ if rest.len() > MAX_ENTRY => return Err(ReadError::TooLong { entry: self.entry }),
                _ if self.at_end_of_file => return Err(ReadError::CutShort { entry: self.entry }),
                _ => self.fill()?,
            }
        }
    }

    /// Drops what is done with, and reads until the buffer is full.
    fn fill(&mut self) -> io::Result<()> {
        self.passed += self.start as u64;
        self.buffer.drain(..self.start);
        self.start = 0;
        let room = (BUFFER - self.buffer.len()) as u64;
        let read = self.input.by_ref().take(room).read_to_end(&mut self.buffer)?;
        self.at_end_of_file = (read as u64) < room;
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        self.state = State::End;
        match self.byte()? {
            None => Ok(None),
            Some(_) => Err(ReadError::Trailing { offset: self.offset() - 1 }),
        }
    }

    fn offset(&self) -> u64 {
        self.passed + self.start as u64
    }

    fn syntax(&self, problem: &str) -> ReadError {
        ReadError::Syntax { entry: self.entry, offset: self.offset(), problem: problem.into() }
    }
}

/// Its line and column count from the entry, which helps nobody.
pub(super) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<String>, String> {
        let mut entries = Entries::new(text);
        let mut found = Vec::new();
        while let Some(entry) = entries.next().map_err(|error| error.to_string())? {
            found.push(String::from_utf8(entry).unwrap());
        }
        assert!(entries.next().unwrap().is_none());
        Ok(found)
    }

    #[test]
    fn an_array_gives_its_objects() {
        assert_eq!(all(b" [ ] \n").unwrap(), [""; 0]);
        assert_eq!(all(b"[{\"a\":[1,{\"]\":2}]} ,\n{}]").unwrap(), ["{\"a\":[1,{\"]\":2}]}", "{}"]);
    }

    #[test]
    fn entries_may_lie_across_what_is_held() {
        let entry = format!("{{\"payload\":\"{}\"}}", "x".repeat(5000));
        let text = format!("[{}]", vec![entry.clone(); 200].join(", "));
        assert!(text.len() > 3 * BUFFER);
        assert_eq!(all(text.as_bytes()).unwrap(), vec![entry; 200]);
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_place() {
        for (text, reason) in [
            ("", "no manifest"),
            ("{}", "no manifest"),
            ("PK\x03\x04", "no manifest"),
            ("[", "ends within entry 1"),
            ("[{}", "ends within entry 2"),
            ("[{},", "ends within entry 2"),
            ("[{},]", "entry 2 is not JSON (expected {, from byte 5)"),
            ("[,{}]", "entry 1 is not JSON"),
            ("[{} {}]", "entry 2 is not JSON (expected , or ] in front of it"),
            ("[{\"a\":}]", "entry 1 is not JSON (expected value"),
            ("[{\"a\":1", "ends within entry 1"),
            ("[7]", "entry 1 is not JSON (expected {"),
            ("[{}]x", "behind the manifest, from byte 4"),
            ("[{}][{}]", "behind the manifest"),
        ] {
            let error = all(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn an_endless_entry_or_one_of_endless_depth_is_given_up() {
        let endless =
            b"[{\"a\":\"".iter().copied().chain(std::iter::repeat_n(b'x', 10 * BUFFER)).collect::<Vec<_>>();
        assert!(all(&endless).unwrap_err().contains("entry 1 is longer than 65536 bytes"));
        let deep =
            b"[{\"a\":".iter().copied().chain(std::iter::repeat_n(b'[', 10 * BUFFER)).collect::<Vec<_>>();
        assert!(all(&deep).unwrap_err().contains("entry 1 is longer than 65536 bytes"));
        let long = format!("[{{\"a\":\"{}\"}}]", "x".repeat(MAX_ENTRY));
        assert!(all(long.as_bytes()).unwrap_err().contains("entry 1 is longer"));
    }
}
