//! The device node of a chip: it goes when the chip is unplugged, and is another one when the chip is back.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A device node as it was when a line of it was requested.
#[derive(Debug)]
pub(super) struct Node {
    path: PathBuf,
    mark: Option<(u64, u64)>,
}

impl Node {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), mark: mark(path) }
    }

    /// Whether it is the same still. The bus is not asked: this is looked at every second.
    pub(super) fn is_there(&self) -> bool {
        mark(&self.path) == self.mark
    }
}

fn mark(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_was_removed_and_one_in_its_place_are_not_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("gpiochip9"), folder.path().join("next"));
        std::fs::write(&path, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let node = Node::new(&path);
        assert!(node.is_there());
        std::fs::remove_file(&path).unwrap();
        assert!(!node.is_there());
        std::fs::rename(&other, &path).unwrap();
        assert!(!node.is_there() && Node::new(&path).is_there());
    }
}
