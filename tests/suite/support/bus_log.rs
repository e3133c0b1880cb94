//! What was seen on a served bus: its log.

use std::{fs, path::PathBuf};

/// The log of a served bus, read from where the last look ended. What a program has the answer to is in it.
#[derive(Debug)]
pub(crate) struct BusLog {
    path: PathBuf,
    read: usize,
}

/// What happened between two looks.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) wakes: usize,
    /// Each command with its parameters, as the log names it: `Read(0x80, 0x0000)`.
    pub(crate) commands: Vec<String>,
}

impl BusLog {
    /// Of a chip that is about to be served with `--log` and this path.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// What happened since the last look.
    pub(crate) fn seen(&mut self) -> Seen {
        let text = fs::read_to_string(&self.path).unwrap();
        let mut seen = Seen::default();
        for line in text[self.read..].lines() {
            if line.ends_with("  wake") {
                seen.wakes += 1;
            } else if let Some((_, command)) = line.split_once(" bytes: ") {
                let (name, status) = command.split_once("), ").unwrap();
                assert!(status.starts_with("Success"), "{line}");
                seen.commands.push(format!("{name})"));
            }
        }
        self.read = text.len();
        seen
    }
}

impl Seen {
    /// How many commands of this name there were.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.commands.iter().filter(|command| command.split('(').next() == Some(name)).count()
    }

    /// The first of the commands that read something from the chip which an earlier one had read.
    pub(crate) fn read_twice(&self) -> Option<&str> {
        let reads =
            || self.commands.iter().filter(|name| name.starts_with("Read(") || name.starts_with("GenKey("));
        reads()
            .enumerate()
            .find(|(at, name)| reads().take(*at).any(|other| other == *name))
            .map(|(_, name)| &**name)
    }
}
