//! Files of a folder that nobody else may write to.

use std::{
    fs::{self, DirBuilder, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{libc, unistd::geteuid};

/// Reads `size` bytes from the file `name`, if folder and file are this user's and nobody else can have written
/// them.
pub(super) fn read(folder: &Path, name: &str, size: usize) -> io::Result<Vec<u8>> {
    own(&fs::symlink_metadata(folder)?, 0o077)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(folder.join(name))?;
    let metadata = file.metadata()?;
    own(&metadata, 0o022)?;
    if !metadata.is_file() || metadata.len() != size as u64 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(size);
    file.take(size as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes the file `name` at once, whoever reads it meanwhile. Makes the folder, in one that is this user's: not as
/// root in the home of somebody else.
pub(super) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    if !folder.exists() {
        let existing = folder.ancestors().skip(1).find(|parent| parent.exists());
        own(&fs::metadata(existing.ok_or(io::ErrorKind::NotFound)?)?, 0o002)?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    own(&fs::symlink_metadata(folder)?, 0o077)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = folder.join(format!("{name}.{}.{number}", process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&beside, folder.join(name)));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Whether it is this user's, and none of the rights in `forbidden` are given.
fn own(metadata: &Metadata, forbidden: u32) -> io::Result<()> {
    if metadata.uid() == geteuid().as_raw() && metadata.mode() & forbidden == 0 && !metadata.is_symlink() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write to the cache, or it is theirs"))
    }
}
