//! The README is true: its shell blocks run as they are pasted.

use std::{env, fs, process::Command};

use super::support::{release_programs, repository, run, script, sh_blocks};

/// All blocks marked `sh` behind the heading "Try it with openssl and mosquitto", one after the other in one
/// shell. Two things differ from what a reader does: the programs are built already, and they are those of
/// this run of the tests.
#[test]
fn the_examples_work_as_pasted() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, examples) = readme.split_once("## Try it with openssl and mosquitto").unwrap();
    let examples = examples.split("\n## ").next().unwrap();
    let blocks = sh_blocks(examples);
    assert!(blocks.len() >= 3, "the examples were not found");
    assert!(blocks[0].contains("cargo build --release\n"));

    let folder = tempfile::tempdir().unwrap();
    release_programs(folder.path());
    let script = script("-euo pipefail", &blocks.concat().replace("cargo build --release\n", ""));
    let output = run(Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env_remove("ATECC_DEVICE")
        .env("PATH", env::var_os("PATH").unwrap()))
    .succeeded();
    assert!(output.all().contains("Verified OK"), "{}", output.all());
    assert!(output.all().contains("HTTP/1.0 200 ok"), "{}", output.all());
    assert!(output.all().contains("received PUBACK"), "{}", output.all());
}
