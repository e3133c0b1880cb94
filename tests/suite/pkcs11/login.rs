//! PINs: none by default, and what an administrator can ask for.

use std::{fs, time::Duration};

use super::{Configured, openssl};
use crate::{
    c_surface::Program,
    support::{Finished, Running, module, run},
};

/// A configuration whose PIN openssl hashed.
fn with_pin(tries: u32) -> Configured {
    let salt = "00112233445566778899aabbccddeeff";
    let kdf = ["kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", "pass:4711", "-kdfopt"];
    let rest = [&format!("hexsalt:{salt}"), "-kdfopt", "iter:10000", "PBKDF2"];
    let hash = openssl(&[&kdf[..], &rest].concat()).text();
    let hash = hash.trim();
    Configured::new(&format!(
        "[pkcs11.pin]\nsalt = \"{salt}\"\niterations = 10000\nhash = \"{hash}\"\ntries = {tries}\n"
    ))
}

fn sign(configured: &Configured, more: &[&str]) -> crate::support::Finished {
    let digest = configured.path("digest");
    fs::write(&digest, [7; 32]).unwrap();
    let output = configured.path("signature");
    let sign =
        ["--sign", "--mechanism", "ECDSA", "--label", "device", "--input-file", &digest, "-o", &output];
    configured.tool(&[&sign[..], more].concat())
}

#[test]
fn without_a_policy_none_and_any_is_right() {
    let configured = Configured::new("");
    sign(&configured, &[]).succeeded();
    sign(&configured, &["--login", "--pin", "whatever"]).succeeded();
    let slots = configured.tool(&["--list-slots"]).succeeded().text();
    assert!(!slots.contains("login required"), "{slots}");
}

#[test]
fn with_a_policy_keys_are_there_for_those_who_know_the_pin() {
    let configured = with_pin(10);
    let slots = configured.tool(&["--list-slots"]).succeeded().text();
    assert!(slots.contains("login required") && slots.contains("PIN initialized"), "{slots}");
    let refused = sign(&configured, &[]);
    assert!(!refused.status.success(), "{}", refused.all());
    sign(&configured, &["--login", "--pin", "4711"]).succeeded();
    // Certificates and public keys are no secret.
    let public = configured.tool(&["--list-objects"]).succeeded().text();
    assert!(public.contains("Certificate Object") && !public.contains("Private Key Object"), "{public}");
}

#[test]
fn wrong_pins_are_counted_for_all_processes_until_the_administrator_forgives() {
    let configured = with_pin(3);
    for _ in 0..2 {
        let refused = sign(&configured, &["--login", "--pin", "1234"]);
        assert!(refused.stderr.contains("CKR_PIN_INCORRECT"), "{}", refused.all());
    }
    let slots = configured.tool(&["--list-slots"]).succeeded().text();
    assert!(slots.contains("final user PIN try"), "{slots}");
    // A right one begins the count anew.
    sign(&configured, &["--login", "--pin", "4711"]).succeeded();
    for _ in 0..3 {
        let refused = sign(&configured, &["--login", "--pin", "1234"]);
        assert!(refused.stderr.contains("CKR_PIN_INCORRECT"), "{}", refused.all());
    }
    let locked = sign(&configured, &["--login", "--pin", "4711"]);
    assert!(locked.stderr.contains("CKR_PIN_LOCKED"), "{}", locked.all());
    let slots = configured.tool(&["--list-slots"]).succeeded().text();
    assert!(slots.contains("user PIN locked"), "{slots}");
    let store = fs::read_to_string(configured.store()).unwrap();
    fs::write(configured.store(), store.replace("wrong = 3", "wrong = 0")).unwrap();
    sign(&configured, &["--login", "--pin", "4711"]).succeeded();
}

/// Each of them counts as no wrong one while it is looked at.
#[test]
fn right_pins_at_the_same_time_lock_nothing() {
    let configured = with_pin(2);
    let bus = configured.chip.serve();
    let six = |pin: &str| -> Vec<Finished> {
        let login = ["--login", "--pin", pin, "--list-objects", "--type", "privkey"];
        let start = |_| Running::start(configured.pkcs11_tool(&login).env("ATECC_DEVICE", bus.device()));
        let users: Vec<Running> = (0..6).map(start).collect();
        users.into_iter().map(|user| user.finish(Duration::from_secs(60))).collect()
    };
    for user in six("4711").into_iter().chain(six("4711")) {
        let seen = user.succeeded();
        assert!(seen.text().contains("Private Key Object"), "{}", seen.all());
    }
    // Nor do wrong ones at the same time get more tries than there are.
    let answers = six("1234");
    let count = |answer| answers.iter().filter(|guess| guess.stderr.contains(answer)).count();
    assert_eq!((count("CKR_PIN_INCORRECT"), count("CKR_PIN_LOCKED")), (2, 4));
}

#[test]
fn what_is_private_comes_and_goes_with_the_login() {
    let configured = with_pin(10);
    let program = Program::compile("login");
    let mut command = configured.command(program.path.to_str().unwrap());
    let finished = run(command.arg(module()).arg("4711")).succeeded();
    assert!(finished.text().ends_with("no failures\n"), "{}", finished.all());
}

/// The PIN stands in the configuration, which is the administrator's.
#[test]
fn a_pin_is_not_changed_through_the_module() {
    let configured = with_pin(10);
    let change = |pin| configured.tool(&["--change-pin", "--login", "--pin", pin, "--new-pin", "9999"]);
    let right = change("4711");
    assert!(right.stderr.contains("CKR_TOKEN_WRITE_PROTECTED"), "{}", right.all());
    let wrong = change("1234");
    assert!(wrong.stderr.contains("CKR_PIN_INCORRECT"), "{}", wrong.all());
    let init = configured.tool(&["--init-pin", "--login", "--so-pin", "1234", "--new-pin", "9999"]);
    assert!(init.stderr.contains("CKR_USER_TYPE_INVALID"), "{}", init.all());
}

/// A policy that cannot be read must not be none.
#[test]
fn a_mistake_in_the_policy_opens_nothing() {
    let configured = Configured::new("[pkcs11.pin]\nsalt = \"00\"\niterations = 10000\nhash = \"00\"\n");
    let refused = sign(&configured, &[]);
    assert!(!refused.status.success(), "{}", refused.all());
    assert!(refused.stderr.contains("salt in [pkcs11.pin]"), "{}", refused.all());
}
