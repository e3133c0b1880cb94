//! Methods 1 to 3, and keys that are in no chip.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use super::{agent_with, assert_puback, atecc, issue, json, make_authority, outcomes, to_a_puback};
use crate::{
    cloud::{
        Double,
        ministack::{Ministack, Policies},
    },
    gateway::softhsm::{MODULE, PIN, SoftHsm},
    support::{Chip, module, program, run},
};

/// Registers in every way but the first one that a chip offers, each with its own folder.
#[track_caller]
pub(super) fn run_all(chip: &Chip, double: &Double, options: &[&str]) {
    let register = |arguments: &[&str]| {
        let mut command = atecc(chip, double, &["register"]);
        json(command.args(arguments).args(options))
    };
    // 1: AWS makes the key.
    let report = register(&["--method", "aws-key", "--thing", "gateway-1", "--out", "one"]);
    assert_eq!((&report["possession"], outcomes(&report)[1]), (&"not asked".into(), "made"));
    let note = report["registrations"][0]["notes"][0].as_str().unwrap();
    assert!(note.contains("came over the network"), "{note}");
    let mode = |name: &str| fs::metadata(chip.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("one/key.pem"), mode("one/certificate.pem") & 0o444), (0o600, 0o444));

    // 2: the chip signs a request.
    let report = register(&["--method", "csr", "--out", "two"]);
    assert_eq!((&report["possession"], outcomes(&report)[1]), (&"proven".into(), "made"));
    assert_eq!(report["thing"], chip.common_name());
    assert!(!chip.path("two/key.pem").exists());

    // The same with a key in another slot, which is another certificate for the same thing.
    let report = register(&["--method", "csr", "--slot", "2", "--out", "slot"]);
    let note = report["registrations"][0]["notes"][0].as_str().unwrap();
    assert!(note.contains("beside this one: "), "{note}");

    // 3: a CA of one's own, which proves to AWS that it is that.
    make_authority(chip);
    issue(chip, "CN=pump-7");
    let authority = ["ca", "register", "--certificate", "ca.pem", "--mode", "default", "--key", "ca.key"];
    let report = json(&mut atecc(chip, double, &authority));
    assert_eq!(outcomes(&report), ["made"]);
    let method = ["--method", "ca", "--certificate", "device.crt", "--root", "ca.pem", "--out", "three"];
    let report = register(&method);
    assert_eq!((&report["thing"], outcomes(&report)[1]), (&"pump-7".into(), "made"));
    assert_eq!(report["certificate"], "verified up to ca.pem");
}

#[test]
fn each_method_leads_to_a_puback_and_finds_what_it_made() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Enforced));
    let trusted = ministack.authority().display().to_string();
    run_all(&chip, &ministack, &["--server-ca", &trusted]);
    for folder in ["one", "two", "slot", "three"] {
        to_a_puback(&ministack, &chip.path(folder));
    }
    let methods: [&[&str]; 3] = [
        &["--method", "aws-key", "--thing", "gateway-1", "--out", "one"],
        &["--method", "csr", "--out", "two"],
        &["--method", "ca", "--certificate", "device.crt", "--out", "three"],
    ];
    for method in methods {
        let mut command = atecc(&chip, &ministack, &["register", "--server-ca", &trusted]);
        assert_eq!(outcomes(&json(command.args(method))), ["found"; 7], "{method:?}");
    }
    // The certificate of another region is none here.
    let mut command =
        atecc(&chip, &ministack, &["register", "--server-ca", &trusted, "--region", "eu-west-1"]);
    let said = run(command.args(methods[1])).failed_with(1).stderr;
    assert!(said.contains("agent.toml says endpoint"), "{said}");
    fs::remove_file(chip.path("two/agent.toml")).unwrap();
    let mut command =
        atecc(&chip, &ministack, &["register", "--server-ca", &trusted, "--region", "eu-west-1"]);
    let said = run(command.args(methods[1])).failed_with(1).stderr;
    assert!(said.contains("did not issue"), "{said}");
}

#[test]
fn a_key_in_a_file_or_behind_a_uri_is_registered_as_one_in_a_chip() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Enforced));
    let trusted = ministack.authority().display().to_string();
    software_key(&chip.path("soft.pem"), &chip.path("soft.crt"));
    let token = SoftHsm::new(chip.folder(), "EC:prime256v1", "gateway-7");
    let register = |arguments: &[&str]| {
        let mut command = Command::new(program("atecc"));
        command.args(["register", "--endpoint-url", &ministack.url(), "--server-ca", &trusted]);
        command.args(arguments).current_dir(chip.folder()).env("ATECC_DEVICE", chip.device());
        token.show_to(&mut command);
        ministack.inside(&command)
    };
    let report = json(&mut register(&["--key", "soft.pem", "--certificate", "soft.crt", "--out", "soft"]));
    assert_eq!((&report["thing"], &report["possession"]), (&"soft-1".into(), &"proven".into()));
    assert_eq!(report["certificate"], "not verified, since no --root was given");
    to_a_puback(&ministack, &chip.path("soft"));

    // An HSM. A PIN in the URI is written nowhere; a file with it is named.
    let uri = format!("pkcs11:token=gateway;object=key?module-path={MODULE}");
    let report = json(&mut register(&["--key", &format!("{uri}&pin-value={PIN}"), "--out", "pin"]));
    assert!(report["registrations"][0]["notes"][0].as_str().unwrap().contains("pin-source"), "{report}");
    let written = fs::read_to_string(chip.path("pin/agent.toml")).unwrap();
    assert!(!written.contains(PIN) && written.contains("token=gateway"), "{written}");
    fs::write(chip.path("pin.txt"), PIN).unwrap();
    let uri = format!("{uri}&pin-source={}", chip.path("pin.txt").display());
    assert_eq!(json(&mut register(&["--key", &uri, "--out", "hsm"]))["thing"], "gateway-7");
    assert_puback(agent_with(&ministack, &chip.path("hsm"), |command| token.show_to(command)));

    // The chip, but behind its PKCS#11 module.
    let uri = format!("pkcs11:object=device;type=private?module-path={}", module().display());
    let report = json(&mut register(&["--key", &uri, "--out", "token"]));
    assert_eq!((&report["thing"], &report["emulated"]), (&chip.common_name().into(), &true.into()));
    let device = chip.device();
    assert_puback(agent_with(&ministack, &chip.path("token"), |command| command.env("ATECC_DEVICE", device)));

    // A certificate that does not lead to the root, or is for another key, is registered nowhere.
    for (arguments, says) in [
        (
            ["--key", "soft.pem", "--certificate", "soft.crt", "--root", "root.pem"],
            "does not lead to root.pem",
        ),
        (["--key", "soft.pem", "--certificate", "device.pem", "--out", "no"], "not for the key"),
    ] {
        let said = run(&mut register(&arguments)).failed_with(1).stderr;
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(ministack.call("GET", "/certificates", None)["certificates"].as_array().unwrap().len(), 3);
}

fn software_key(key: &Path, certificate: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "9", "-subj", "/CN=soft-1", "-keyout"]).arg(key).arg("-out").arg(certificate);
    run(&mut openssl).succeeded();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}
