//! Four programs of four kinds on one serial port, while its cable is pulled and put back.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::board::Board;
use crate::{
    mosquitto::Broker,
    support::{module, program, run},
};

/// How often the cable is pulled; `the_cable_is_pulled_and_put_back_and_no_program_has_to_start_anew` does it 50 times.
const PULLS: usize = 6;
/// What a program may say that met a port without a board, or a board that went: what to do, or what happened.
const CLEAR: [&str; 6] = [
    "is the device plugged in?",
    "the line to the bridge broke",
    "no bridge answers",
    "the bridge did not answer",
    "whether it was executed is not known",
    "cannot be opened",
];

/// `program` again and again until `is_over`: the runs that succeeded, and what the others said.
fn persist(
    mut program: impl FnMut() -> Command,
    is_over: &AtomicBool,
    successes: &AtomicUsize,
) -> Vec<String> {
    let mut failures = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let finished = run(&mut program());
        if finished.status.success() {
            successes.fetch_add(1, Ordering::SeqCst);
        } else {
            failures.push(finished.all());
        }
    }
    failures
}

#[test]
fn openssl_twice_pkcs11_tool_and_the_agent_share_a_port_whose_cable_is_pulled() {
    let mut board = Board::new();
    let device = board.device();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for part in ["root", "device"] {
        let mut atecc = Command::new(program("atecc"));
        run(atecc.args(["--device", &device, "cert", part, "--out"]).arg(path(&format!("{part}.pem"))))
            .succeeded();
    }
    fs::write(path("message"), "open").unwrap();
    let broker = Broker::start(&path("root.pem"));
    let name = format!("sn{}", board.serial_number());

    let openssl = |signature: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-engine", "pkcs11", "-keyform", "engine", "-sha256"]);
        openssl.args(["-sign", "pkcs11:object=device;type=private", "-out"]).arg(path(signature));
        with_module(openssl.arg(path("message")), &device)
    };
    let pkcs11_tool = || {
        let mut tool = Command::new("pkcs11-tool");
        tool.arg("--module").arg(module()).args([
            "--sign",
            "--mechanism",
            "ECDSA-SHA256",
            "--label",
            "device",
        ]);
        tool.args(["--signature-format", "openssl", "--input-file"]).arg(path("message"));
        with_module(tool.arg("--output-file").arg(path("tool.sig")), &device)
    };
    let agent = || {
        let mut agent = broker.agent(folder.path(), &name, &device);
        agent.arg("--once");
        agent
    };

    let is_over = AtomicBool::new(false);
    let successes: [AtomicUsize; 4] = Default::default();
    let failures = thread::scope(|scope| {
        let (over, counts) = (&is_over, &successes);
        let users = [
            scope.spawn(move || persist(|| openssl("one.sig"), over, &counts[0])),
            scope.spawn(move || persist(|| openssl("two.sig"), over, &counts[1])),
            scope.spawn(move || persist(pkcs11_tool, over, &counts[2])),
            scope.spawn(move || persist(agent, over, &counts[3])),
        ];
        let disturbed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for pull in 0..=PULLS {
                // Each of them got what it wanted since the cable is in again.
                let before: Vec<usize> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();
                let deadline = Instant::now() + Duration::from_secs(60);
                while counts
                    .iter()
                    .zip(&before)
                    .any(|(count, before)| count.load(Ordering::SeqCst) <= *before)
                {
                    assert!(Instant::now() < deadline, "after pull {pull}: {counts:?}, before {before:?}");
                    thread::sleep(Duration::from_millis(5));
                }
                if pull < PULLS {
                    board.pull();
                    thread::sleep(Duration::from_millis(150));
                    board.put_back();
                }
            }
        }));
        over.store(true, Ordering::SeqCst);
        let failures: Vec<String> = users.into_iter().flat_map(|user| user.join().unwrap()).collect();
        assert!(disturbed.is_ok(), "{failures:#?}");
        failures
    });
    for failure in &failures {
        assert!(CLEAR.iter().any(|clear| failure.contains(clear)), "{failure}");
    }
    assert!(!failures.is_empty(), "no program noticed that the cable was out");
    for signature in ["one.sig", "two.sig", "tool.sig"] {
        assert_verifies(folder.path(), signature);
    }
}

/// `command` with our module on `device`, which says on stderr what a return value cannot.
fn with_module(command: &mut Command, device: &str) -> Command {
    let mut whole = Command::new(command.get_program());
    whole.args(command.get_args());
    whole.env("PKCS11_MODULE_PATH", module()).env("ATECC_DEVICE", device).env("ATECC_LOG", "1");
    whole
}

#[track_caller]
fn assert_verifies(folder: &Path, signature: &str) {
    let public = folder.join("public.pem");
    let mut x509 = Command::new("openssl");
    run(x509
        .args(["x509", "-pubkey", "-noout", "-in"])
        .arg(folder.join("device.pem"))
        .arg("-out")
        .arg(&public))
    .succeeded();
    let mut verify = Command::new("openssl");
    verify.args(["dgst", "-sha256", "-verify"]).arg(&public).arg("-signature").arg(folder.join(signature));
    run(verify.arg(folder.join("message"))).succeeded();
}
