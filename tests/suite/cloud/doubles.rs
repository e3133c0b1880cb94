//! The doubles themselves: they start, answer, and do what the tests of the product rely on.

use std::{fs, process::Command};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    microburst,
    ministack::{Ministack, Policies},
    moto,
};
use crate::support::{Chip, run, unhex};

/// The DER behind a PEM certificate, by openssl.
fn der(pem: &std::path::Path) -> Vec<u8> {
    let mut openssl = Command::new("openssl");
    run(openssl.args(["x509", "-outform", "der", "-in"]).arg(pem)).succeeded().stdout
}

#[test]
fn ministack_names_a_certificate_by_its_digest_and_moto_does_not() {
    let chip = Chip::new();
    let body = json!({
        "certificatePem": fs::read_to_string(chip.path("device.pem")).unwrap(),
        "status": "ACTIVE",
    });
    let digest = Sha256::digest(der(&chip.path("device.pem"))).to_vec();
    let register = |double: &super::Double| {
        let answer = double.call("POST", "/certificate/register-no-ca", Some(&body));
        unhex(answer["certificateId"].as_str().unwrap())
    };
    assert_eq!(register(&Ministack::start(Policies::Ignored)), digest);
    assert_ne!(register(&moto::start()), digest);
}

#[test]
fn a_double_is_seen_by_those_in_its_network_only() {
    let ministack = Ministack::start(Policies::Enforced);
    let address = ministack.mqtt_address();
    let s_client = |command: &mut Command| {
        command.args(["s_client", "-connect", &address, "-brief", "-CAfile"]).arg(ministack.authority());
        run(command)
    };
    s_client(&mut ministack.inside(&Command::new("openssl"))).succeeded();
    if ministack.network().is_apart() {
        assert!(s_client(&mut Command::new("openssl")).stderr.contains("refused"));
    }
}

#[test]
fn microburst_throttles_twice_and_lets_pass() {
    let moto = moto::start();
    let rules = json!([{
        "service": "iot", "operation": "CreateThing",
        "sequence": { "fail": 2, "pass": 100 }, "error": { "code": "ThrottlingException" },
    }]);
    let throttled = microburst::start(&moto, &rules);
    for _ in 0..2 {
        let answer = throttled.request("iot", "POST", "/things/pump", Some(&json!({})));
        assert!(answer.all().contains("ThrottlingException"), "{}", answer.all());
    }
    assert_eq!(throttled.call("POST", "/things/pump", Some(&json!({})))["thingName"], "pump");
}
