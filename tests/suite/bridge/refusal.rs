//! A device that does not let the chip answer, as every kind of program sees it.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use atecc::Slot;
use atecc_token::{Refusal, Token};

use super::board::{AtDevice, Board};
use crate::{
    mosquitto::Broker,
    support::{module, program, run},
};

/// Longer than two reports of progress, so that the near end waits through them.
const AWAY: AtDevice = AtDevice::Away(Duration::from_millis(1_200));
const SIGN: u8 = 0x41;
/// What is at the device, what the library makes of it, its return value, and what its sentence tells to do.
const CASES: [(AtDevice, Refusal, &str, &str); 3] = [
    (
        AtDevice::Policy,
        Refusal::Policy { opcode: SIGN },
        "(0x200)",
        "does not let Sign through; it can be opened at the device itself only",
    ),
    (AtDevice::Denies, Refusal::Denied, "(0x200)", "try again and allow it there"),
    (AWAY, Refusal::NotTouched, "(0x50)", "try again, and touch it when it asks"),
];

#[test]
fn a_library_gets_a_refusal_as_a_type_and_the_next_signature() {
    let board = Board::new();
    let token = Token::open(&board.device().parse().unwrap()).unwrap();
    token.sign(Slot::PRIMARY_KEY, &[1; 32]).unwrap();
    for (at_device, refusal, _, sentence) in CASES {
        board.set_at_device(at_device);
        let (start, asked) = (Instant::now(), board.asked());
        let error = token.sign(Slot::PRIMARY_KEY, &[2; 32]).unwrap_err();
        assert_eq!(error.refusal(), Some(refusal), "{error}");
        assert!(error.to_string().contains(sentence), "{error}");
        assert!(!error.is_absent() && error.chip_status().is_none(), "{error:?}");
        assert_eq!(refusal.is_unattended(), refusal == Refusal::NotTouched);
        // It was asked once: a no is not met with the same question again.
        assert_eq!(board.asked() - asked, usize::from(at_device != AtDevice::Policy), "{at_device:?}");
        if let AtDevice::Away(limit) = at_device {
            assert!(start.elapsed() >= limit && start.elapsed() < limit + Duration::from_secs(3));
        }
        board.set_at_device(AtDevice::Open);
        token.sign(Slot::PRIMARY_KEY, &[3; 32]).unwrap();
    }
}

#[test]
fn an_application_gets_the_return_value_of_the_standard_and_the_log_the_sentence() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let [message, signature] = ["message", "signature"].map(|name| folder.path().join(name));
    fs::write(&message, "open").unwrap();
    let sign = || {
        let mut tool = Command::new("pkcs11-tool");
        tool.arg("--module").arg(module()).env("ATECC_DEVICE", board.device()).env("ATECC_LOG", "1");
        // One that signs in parts too: after any error of C_Sign the tool tries that, and shows what came of it.
        tool.args(["--sign", "--mechanism", "ECDSA-SHA256", "--label", "device", "--input-file"])
            .arg(&message);
        run(tool.arg("--output-file").arg(&signature))
    };
    for (at_device, _, value, sentence) in CASES {
        board.set_at_device(at_device);
        let refused = sign();
        assert!(!refused.status.success(), "{}", refused.all());
        assert!(refused.all().contains(value), "{}", refused.all());
        assert!(refused.stderr.contains(sentence), "{}", refused.all());
    }
    board.set_at_device(AtDevice::Open);
    sign().succeeded();
    assert_eq!(fs::read(signature).unwrap().len(), 64);
}

#[test]
fn the_agent_says_that_nobody_touched_the_device() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    let mut atecc = Command::new(program("atecc"));
    run(atecc.args(["--device", &board.device(), "cert", "root", "--out"]).arg(&root)).succeeded();
    let broker = Broker::start(&root);
    let name = format!("sn{}", board.serial_number());
    let publish = || run(broker.agent(folder.path(), &name, &board.device()).arg("--once"));
    for (at_device, _, _, sentence) in CASES {
        board.set_at_device(at_device);
        let refused = publish();
        assert!(!refused.status.success(), "{}", refused.all());
        assert!(refused.all().contains("no signature: "), "{}", refused.all());
        assert!(refused.all().contains(sentence), "{}", refused.all());
    }
    board.set_at_device(AtDevice::Open);
    assert!(publish().succeeded().all().contains("PUBACK"));
}
