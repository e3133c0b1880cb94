//! What is made from the definitions of the command line: help, completions, manual pages.

use std::{fs, process::Command};

use crate::support::{Chip, program, run, run_with_input};

/// The verbs that help lists.
fn verbs() -> Vec<String> {
    let help = run(Command::new(program("atecc")).arg("help")).succeeded().text();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_verb_has_help_and_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    run(Command::new(program("atecc")).args(["man", "--out-dir"]).arg(folder.path())).succeeded();
    let verbs = verbs();
    assert!(verbs.len() > 10, "{verbs:?}");
    for verb in verbs.iter().filter(|verb| *verb != "help") {
        let help = run(Command::new(program("atecc")).args([verb, "--help"])).succeeded().text();
        assert!(help.contains("Usage: atecc"), "{help}");
        let page = fs::read_to_string(folder.path().join(format!("atecc-{verb}.1"))).unwrap();
        assert!(page.contains(".TH"), "{page}");
    }
    // Verbs inside of verbs have pages too.
    let page = fs::read_to_string(folder.path().join("atecc-emulator-serve.1")).unwrap();
    assert!(page.contains("\\-\\-log") && page.contains("wakes, commands by name"), "{page}");
    let page = run(Command::new(program("atecc")).arg("man")).succeeded().text();
    assert_eq!(page, fs::read_to_string(folder.path().join("atecc.1")).unwrap());
}

#[test]
fn bash_completes_with_the_script() {
    let script = run(Command::new(program("atecc")).args(["completions", "bash"])).succeeded().stdout;
    let question =
        b"\nCOMP_WORDS=(atecc ver); COMP_CWORD=1; _atecc atecc ver atecc; echo \"${COMPREPLY[@]}\"\n";
    let answer =
        run_with_input(Command::new("bash").arg("-s"), &[&script[..], question].concat()).succeeded();
    assert_eq!(answer.text(), "verify\n", "{}", answer.stderr);
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        run(Command::new(program("atecc")).args(["completions", shell])).succeeded();
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let chip = Chip::new();
    let atecc = program("atecc");
    for verb in ["info", "info --json", "cert", "completions bash", "man", "doctor", "random 10000"] {
        let script = format!("set -o pipefail; '{}' {verb} | true", atecc.display());
        let output = run(Command::new("bash").args(["-c", &script]).env("ATECC_DEVICE", chip.device()));
        assert_eq!(output.succeeded().stderr, "", "{verb}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [&["sing"][..], &["verify"], &["info", "--yaml"], &[], &["cert", "leaf"]] {
        run(Command::new(program("atecc")).args(arguments)).failed_with(2);
    }
}
