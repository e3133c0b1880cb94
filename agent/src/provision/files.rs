//! Files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// For the agent's group, too.
pub(super) const SHARED: u32 = 0o640;
/// For everybody to read.
pub(super) const PUBLIC: u32 = 0o644;
/// For the agent alone.
pub(super) const PRIVATE: u32 = 0o600;

/// Replaces `file` by one with this content and mode. When this returns it is on disk; before, the old one is.
pub(super) fn replace(file: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // What a lost process left there has perhaps another mode.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut new = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(beside)?;
    let written = new
        .write_all(content)
        .and_then(|()| new.set_permissions(fs::Permissions::from_mode(mode)))
        .and_then(|()| new.sync_all())
        .and_then(|()| fs::rename(beside, file));
    if let Err(error) = written {
        // Perhaps the disk is full; what is half there must not stay.
        let _ = fs::remove_file(beside);
        return Err(error);
    }
    // The name, too, must outlive a loss of power.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_whatever_was_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/key.pem");
        for (content, mode) in [("first", PUBLIC), ("second", PRIVATE)] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(folder.path().join("new/key.pem.new"), "left over").unwrap();
            replace(&file, content.as_bytes(), mode).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::create_dir(&file).unwrap();
        assert!(replace(&file, b"x", PUBLIC).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
