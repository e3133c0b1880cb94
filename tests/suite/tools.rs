//! The programs of this package say what they are for, and do nothing when they are told what they do not know.

use std::{fs, process::Command};

const TOOLS: [&str; 10] = [
    env!("CARGO_BIN_EXE_bench"),
    env!("CARGO_BIN_EXE_campaign"),
    env!("CARGO_BIN_EXE_gateway"),
    env!("CARGO_BIN_EXE_kernel-bus"),
    env!("CARGO_BIN_EXE_kernel-gpio"),
    env!("CARGO_BIN_EXE_kernel-serial"),
    env!("CARGO_BIN_EXE_load"),
    env!("CARGO_BIN_EXE_manifest-entries"),
    env!("CARGO_BIN_EXE_module-sign"),
    env!("CARGO_BIN_EXE_sign-many"),
];

#[test]
fn every_tool_explains_itself_and_refuses_what_it_does_not_know() {
    assert_eq!(
        TOOLS.len(),
        include_str!("../Cargo.toml").matches("[[bin]]").count(),
        "a tool is missing here"
    );
    for tool in TOOLS {
        let folder = tempfile::tempdir().unwrap();
        let run = |argument| Command::new(tool).arg(argument).current_dir(folder.path()).output().unwrap();
        let help = run("--help");
        assert!(help.status.success(), "{tool}: {help:?}");
        assert!(String::from_utf8_lossy(&help.stdout).contains("Usage:"), "{tool}: {help:?}");
        let refused = run("--nonsense");
        assert_eq!(refused.status.code(), Some(2), "{tool}: {refused:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{tool} made something");
    }
}
