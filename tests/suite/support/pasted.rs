//! Pages whose shell blocks are run as a reader pastes them.

use std::{fs, path::Path};

use super::{module, program};

/// The blocks of a page that are marked `sh`.
pub(crate) fn sh_blocks(page: &str) -> Vec<&str> {
    page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

/// `target/release` in `folder` with the programs and the module of this run, as a reader has them after
/// `cargo build --release`. None is a symbolic link: ssh-agent and others look where one leads.
pub(crate) fn release_programs(folder: &Path) {
    let release = folder.join("target/release");
    fs::create_dir_all(&release).unwrap();
    for name in ["atecc", "atecc-agent"] {
        link_or_copy(&program(name), &release.join(name));
    }
    link_or_copy(&module(), &release.join("libpkcs11_atecc.so"));
}

fn link_or_copy(file: &Path, to: &Path) {
    // Another file system takes no link.
    if fs::hard_link(file, to).is_err() {
        fs::copy(file, to).unwrap();
    }
}

/// One shell for `commands`: it stops at the first that fails, and ends what they left running.
pub(crate) fn script(options: &str, commands: &str) -> String {
    format!("set {options}\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{commands}")
}
