//! Disks that are full for a while.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Result;

/// A file system of its own in memory, small enough to be filled; gone with this value.
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    pub(crate) fn mount(folder: &Path, megabytes: u64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0700"), "outbox"]).arg(folder);
        if mount.status().is_ok_and(|status| status.success()) {
            return Ok(Self(folder.to_owned()));
        }
        Err("cannot mount a tmpfs; that takes root (or `unshare --map-root-user --mount`)".into())
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut file = File::create(self.filler())?;
        for chunk in [64 * 1024, 4096] {
            // Until it fails, which is what it is for.
            while file.write_all(&vec![0; chunk]).is_ok() {}
        }
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn release(&self) -> Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily, since a killed agent may still be on its way out.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// `command`, with files that cannot grow beyond so many bytes.
///
/// A write beyond gives an error, as a quota would, instead of the signal that ends a process.
pub(crate) fn limited(command: &Command, bytes: u64) -> Command {
    let mut shell = Command::new("sh");
    // Blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
    shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}
