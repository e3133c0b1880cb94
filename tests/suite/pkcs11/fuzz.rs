//! Templates and parameters at random, through the C side.

use std::{process::Command, time::Duration};

use super::Configured;
use crate::{
    c_surface::Program,
    support::{Running, module},
};

const SLOTS: &str = "[[slot]]\nnumber = 3\nlabel = \"spare\"\noverwrite = true\n";

/// The same program runs for longer, and under valgrind or with another seed, by hand:
/// `ATECC_CONFIG=... valgrind --leak-check=full fuzz libpkcs11_atecc.so SEED ROUNDS`.
#[test]
fn whatever_comes_in_is_answered_by_a_code_of_the_standard() {
    let configured = Configured::new(SLOTS);
    let program = Program::compile("fuzz");
    for seed in ["1", "2", "3"] {
        let mut command = Command::new(&program.path);
        command.arg(module()).args([seed, "2000"]).env("ATECC_CONFIG", configured.file());
        command.env_remove("ATECC_DEVICE").env_remove("ATECC_LOG");
        let finished = Running::start(&mut command).finish(Duration::from_secs(120)).succeeded();
        assert!(finished.text().ends_with("no failures\n"), "seed {seed}: {}", finished.all());
        // A panic that the fence caught has written its message here.
        assert_eq!(finished.stderr, "", "seed {seed}");
    }
}

#[test]
fn whatever_comes_in_is_clean_under_valgrind() {
    let configured = Configured::new(SLOTS);
    let program = Program::compile("fuzz");
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    command.args(["--errors-for-leak-kinds=definite,indirect,possible"]);
    command.arg(&program.path).arg(module()).args(["4", "60"]).env("ATECC_CONFIG", configured.file());
    command.env_remove("ATECC_DEVICE").env_remove("ATECC_LOG");
    let finished = Running::start(&mut command).finish(Duration::from_secs(180)).succeeded();
    assert!(finished.text().ends_with("no failures\n"), "{}", finished.all());
    assert_eq!(finished.stderr, "", "{}", finished.text());
}
