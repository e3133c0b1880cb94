//! Method 4: the certificate that the chip came with, without a CA.

use std::{fs, process::Command};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{agent, json, outcomes, register, to_a_puback};
use crate::{
    cloud::{
        ministack::{Ministack, Policies},
        moto,
    },
    support::{Chip, run, unhex},
};

#[test]
fn a_chip_out_of_the_bag_comes_to_a_puback_and_nobody_else_may_be_its_thing() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Enforced));
    let trusting = |command: &mut Command| json(command.arg("--server-ca").arg(ministack.authority()));

    let report = trusting(register(&chip, &ministack).arg("--dry-run"));
    assert_eq!(outcomes(&report)[1..], ["missing"; 6]);
    assert!(!chip.path("agent").exists());
    assert_eq!(ministack.call("GET", "/certificates", None)["certificates"], Value::Array(Vec::new()));

    let report = trusting(&mut register(&chip, &ministack));
    assert_eq!(outcomes(&report)[1..], ["made"; 6]);
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-outform", "der", "-in"]).arg(chip.path("device.pem"));
    let digest = Sha256::digest(run(&mut openssl).succeeded().stdout).to_vec();
    assert_eq!(unhex(report["certificate_id"].as_str().unwrap()), digest);
    assert_eq!(report["thing"], chip.common_name());
    assert_eq!(report["emulated"], true);
    to_a_puback(&ministack, &chip.path("agent"));

    // Everything is found, and a setting that was added is left alone.
    let file = chip.path("agent/agent.toml");
    let written = fs::read_to_string(&file).unwrap() + "keep_alive_seconds = 60\n";
    fs::write(&file, &written).unwrap();
    let report = trusting(&mut register(&chip, &ministack));
    assert_eq!(outcomes(&report), ["found"; 7]);
    assert_eq!(fs::read_to_string(&file).unwrap(), written);

    // The policy binds to the thing: under another name, which the device may choose, it stays outside.
    fs::write(&file, written.replace("client_id = \"sn", "client_id = \"another-sn")).unwrap();
    let said = agent(&ministack, &chip.path("agent")).failed_with(1).stderr;
    assert!(said.contains("closed the connection before CONNACK") || said.contains("authorized"), "{said}");
    // And a file that would make another thing of it is not written over.
    let said = run(register(&chip, &ministack).arg("--server-ca").arg(ministack.authority())).failed_with(1);
    assert!(said.stderr.contains("says client_id"), "{}", said.stderr);
}

#[test]
fn moto_agrees_on_every_step() {
    let (chip, moto) = (Chip::new(), moto::start());
    let report = json(&mut register(&chip, &moto));
    assert_eq!(outcomes(&report)[1..], ["made"; 6]);
    // It has another endpoint each time, and names certificates by another digest than AWS, so that they are found by
    // registering them once more.
    fs::remove_dir_all(chip.path("agent")).unwrap();
    assert_eq!(outcomes(&json(&mut register(&chip, &moto)))[..6], ["found"; 6]);
    let things = moto.call("GET", "/things", None);
    assert_eq!(things["things"][0]["thingName"], chip.common_name());
    let principals = moto.call("GET", &format!("/things/{}/principals", chip.common_name()), None);
    assert_eq!(principals["principals"].as_array().unwrap().len(), 1);
    // The other methods; it takes any CA.
    super::methods::run_all(&chip, &moto, &[]);
}
