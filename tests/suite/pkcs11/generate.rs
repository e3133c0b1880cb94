//! New keys: only where the administrator lists the slot.

use std::fs;

use super::{Configured, openssl, run};
use crate::support::module;

const SPARE: &str = "[[slot]]\nnumber = 3\nlabel = \"spare\"\noverwrite = true\n";
const GENERATE: [&str; 3] = ["--keypairgen", "--key-type", "EC:prime256v1"];

fn private_keys(configured: &Configured) -> String {
    configured.tool(&["--list-objects", "--type", "privkey"]).succeeded().text()
}

/// The factory's keys are named in manifests and cannot come back.
#[test]
fn by_default_no_key_is_generated_and_all_stay_as_they_are() {
    let configured = Configured::new("");
    let eeprom = fs::read(configured.chip.eeprom()).unwrap();
    let refused = configured.tool(&GENERATE);
    assert!(!refused.status.success(), "{}", refused.all());
    // A slot that is shown is not a slot that is given up.
    configured.configure("[[slot]]\nnumber = 3\nlabel = \"shown\"\n");
    let before = private_keys(&configured);
    assert!(before.contains("shown"), "{before}");
    let refused = configured.tool(&[&GENERATE[..], &["--label", "shown"]].concat());
    assert!(!refused.status.success(), "{}", refused.all());
    assert!(!configured.tool(&["--list-mechanisms"]).succeeded().text().contains("ECDSA-KEY-PAIR-GEN"));
    assert_eq!(private_keys(&configured), before);
    assert!(eeprom == fs::read(configured.chip.eeprom()).unwrap(), "the chip has changed");
}

/// p11tool asks without a look at the list of mechanisms.
#[test]
fn a_program_that_just_asks_is_told_that_the_token_is_protected() {
    let configured = Configured::new("");
    let mut p11tool = configured.command("p11tool");
    p11tool.arg("--provider").arg(module()).args(["--generate-privkey=ecc", "--curve", "secp256r1"]);
    let refused = run(p11tool.args(["--label", "mine", "--outfile", &configured.path("out"), "pkcs11:"]));
    assert!(!refused.status.success(), "{}", refused.all());
    assert!(!private_keys(&configured).contains("mine"));
}

#[test]
fn a_listed_slot_gets_a_key_with_the_name_that_was_wanted_and_openssl_uses_it() {
    let configured = Configured::new(SPARE);
    let before = private_keys(&configured);
    configured.tool(&[&GENERATE[..], &["--label", "ssh", "--id", "77"]].concat()).succeeded();
    let after = private_keys(&configured);
    assert!(!after.contains("spare") && after.contains("ssh") && after.contains("ID:         77"), "{after}");
    assert!(before.contains("spare"), "{before}");
    let (message, signature) = (configured.path("message"), configured.path("signature"));
    fs::write(&message, "signed by a new key").unwrap();
    let mut sign = configured.command("openssl");
    sign.args(["dgst", "-engine", "pkcs11", "-keyform", "engine", "-sha256"]);
    sign.args(["-sign", "pkcs11:object=ssh;type=private", "-out", &signature, &message]);
    run(sign.env("PKCS11_MODULE_PATH", module())).succeeded();
    let public = configured.public_key("ssh");
    openssl(&["dgst", "-sha256", "-verify", &public, "-signature", &signature, &message]);
}

#[test]
fn each_new_key_is_another_and_has_the_slots_own_name_if_none_is_wanted() {
    let configured = Configured::new(SPARE);
    let generated = || {
        configured.tool(&[&GENERATE[..], &["--label", "spare"]].concat()).succeeded();
        fs::read(configured.public_key("spare")).unwrap()
    };
    assert_ne!(generated(), generated());
    // Nothing had to be remembered.
    assert!(!configured.store().exists());
}

#[test]
fn p11tool_generates_too() {
    let configured = Configured::new(SPARE);
    let mut p11tool = configured.command("p11tool");
    p11tool.arg("--provider").arg(module()).args(["--generate-privkey=ecc", "--curve", "secp256r1"]);
    run(p11tool.args(["--label", "gnutls", "--outfile", &configured.path("out"), "pkcs11:"])).succeeded();
    assert!(private_keys(&configured).contains("gnutls"));
}

/// With two free slots a label chooses; any other would be a guess about which key to destroy.
#[test]
fn with_several_free_slots_the_label_chooses() {
    let configured =
        Configured::new(&format!("{SPARE}[[slot]]\nnumber = 4\nlabel = \"other\"\noverwrite = true\n"));
    let (spare, other) = (configured.public_key("spare"), configured.public_key("other"));
    let [spare, other] = [spare, other].map(|file| fs::read(file).unwrap());
    let refused = configured.tool(&[&GENERATE[..], &["--label", "third"]].concat());
    assert!(refused.stderr.contains("CKR_TEMPLATE_INCONSISTENT"), "{}", refused.all());
    configured.tool(&[&GENERATE[..], &["--label", "other"]].concat()).succeeded();
    assert_eq!(fs::read(configured.public_key("spare")).unwrap(), spare);
    assert_ne!(fs::read(configured.public_key("other")).unwrap(), other);
}

/// The key itself is gone, and not its name alone: another is in its place, which is not shown.
#[test]
fn a_key_that_is_deleted_is_gone_and_its_slot_takes_a_new_one() {
    let configured = Configured::new(SPARE);
    let eeprom = || fs::read(configured.chip.eeprom()).unwrap();
    let before = eeprom();
    configured.tool(&["--delete-object", "--type", "privkey", "--label", "spare"]).succeeded();
    assert!(before != eeprom(), "the chip still has the key");
    assert!(!configured.tool(&["--list-objects"]).succeeded().text().contains("spare"));
    configured.tool(&[&GENERATE[..], &["--label", "spare"]].concat()).succeeded();
    assert!(private_keys(&configured).contains("spare"));
    let refused = configured.tool(&["--delete-object", "--type", "privkey", "--label", "device"]);
    assert!(!refused.status.success(), "{}", refused.all());
}

/// OpenSC's own test of EC keys: it generates, signs, verifies and derives.
#[test]
fn the_tools_own_test_of_ec_keys_finds_no_error() {
    let configured = Configured::new(SPARE);
    let test = ["--login", "--pin", "1234", "--test-ec", "--id", "01", "--key-type", "EC:prime256v1"];
    let output = configured.tool(&[&test[..], &["--session-rw"]].concat()).succeeded();
    assert!(output.all().contains("OK") && !output.all().contains("ERR"), "{}", output.all());
}
