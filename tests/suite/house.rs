//! The rules of the house: who may use whom, and where `unsafe` may stand.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde::Deserialize;

use super::support::{repository, run};

/// A ─► B: A uses B. docs/architecture.md draws them; nothing else is allowed.
const ARROWS: &[(&str, &str)] = &[
    ("atecc-agent", "atecc"),
    ("atecc-agent", "atecc-token"),
    ("atecc-agent", "identity"),
    ("atecc-cli", "atecc"),
    ("atecc-cli", "atecc-emulator"),
    ("atecc-cli", "atecc-token"),
    ("atecc-cli", "identity"),
    ("atecc-emulator", "atecc"),
    ("atecc-token", "atecc"),
    ("atecc-token", "atecc-emulator"),
    ("identity", "atecc"),
    ("identity", "atecc-token"),
    ("pkcs11-atecc", "atecc"),
    ("pkcs11-atecc", "atecc-token"),
];
/// Arrows for tests and examples only.
const DEV_ARROWS: &[(&str, &str)] =
    &[("atecc-agent", "atecc-emulator"), ("atecc-agent", "iot-core-emulator")];
/// Sees everything, and nothing sees it.
const BLACK_BOX: &str = "tests";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

#[test]
fn no_room_uses_another_but_along_the_arrows() {
    let output = run(Command::new(env!("CARGO")).current_dir(repository()).args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--locked",
    ]))
    .succeeded();
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(metadata.packages.len(), 9);
    let mut seen = BTreeSet::new();
    for package in metadata.packages.iter().filter(|package| package.name != BLACK_BOX) {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let arrow = (package.name.as_str(), dependency.name.as_str());
            let allowed = match dependency.kind.as_deref() {
                None => ARROWS,
                Some(_) => DEV_ARROWS,
            };
            assert!(
                allowed.contains(&arrow) || ARROWS.contains(&arrow),
                "{} ─► {} is no arrow of the house",
                arrow.0,
                arrow.1
            );
            seen.insert(format!("{arrow:?}"));
        }
    }
    assert!(seen.len() >= 8, "the arrows were not found: {seen:?}");
}

/// The image for QEMU, of which nothing is shipped. No safe crate names the machine's serial port, as esp-hal does those
/// of real boards.
const QEMU_BOARD: &str = "esp-bridge/board/virt/src/main.rs";
const QEMU_UART: &str = concat!("let uart = uns", "afe { Uart16550::new_mmio_from_address(UART, 1) };");

#[test]
fn unsafe_stands_in_the_c_abi_only() {
    let abi = repository().join("pkcs11-atecc/src/abi");
    let mut files = Vec::new();
    rust_files(repository(), &mut files);
    assert!(files.len() > 50, "the sources were not found");
    for file in files.iter().filter(|file| !file.starts_with(&abi)) {
        let code = fs::read_to_string(file).unwrap();
        let found = code.lines().filter(|line| {
            let code = line.split("//").next().unwrap_or_default();
            let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait", "unsafe("];
            words.iter().any(|word| code.contains(word) && !code.contains(&format!("\"{word}")))
        });
        let found: Vec<&str> = found.map(str::trim).collect();
        let allowed = if *file == repository().join(QEMU_BOARD) { &[QEMU_UART][..] } else { &[] };
        assert_eq!(found, allowed, "{}", file.display());
    }
    for root in ["atecc", "atecc-emulator", "atecc-token", "identity", "agent", "iot-core-emulator"] {
        assert_forbids(&repository().join(root).join("src/lib.rs"));
    }
    for root in ["atecc-cli", "agent"] {
        assert_forbids(&repository().join(root).join("src/main.rs"));
    }
}

#[track_caller]
fn assert_forbids(root: &Path) {
    let code = fs::read_to_string(root).unwrap();
    assert!(code.contains("#![forbid(unsafe_code)]"), "{} does not forbid unsafe code", root.display());
}

fn rust_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            rust_files(&path, files);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
}

/// A static library with a panic handler of its own does not pass if anything below it links std.
#[test]
fn the_driver_links_no_std() {
    run(Command::new(env!("CARGO"))
        .current_dir(repository().join("tests/no_std"))
        .args(["check", "--quiet", "--locked", "--target-dir"])
        .arg(repository().join("target/no_std")))
    .succeeded();
}
