//! `pubkey` and `csr`.

use std::{fs, process::Command};

use atecc_emulator::provision;

use crate::support::{Chip, run};

/// What `openssl` prints in the chip's folder.
#[track_caller]
fn openssl(chip: &Chip, line: &str) -> String {
    run(Command::new("openssl").current_dir(chip.folder()).args(line.split(' '))).succeeded().all()
}

#[test]
fn the_public_key_is_that_of_the_certificate() {
    let chip = Chip::new();
    let pem = run(chip.atecc().arg("pubkey")).succeeded().text();
    assert_eq!(pem, openssl(&chip, "x509 -in device.pem -noout -pubkey"));
    let hex = run(chip.atecc().args(["pubkey", "--format", "hex"])).succeeded().text();
    let der =
        run(Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(chip.path("device.pem")));
    let digits: String = der.text().chars().filter(char::is_ascii_hexdigit).collect();
    assert!(digits.contains(hex.trim_end()), "{digits}");
    let json = run(chip.atecc().args(["pubkey", "--json"])).succeeded();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["pem"], pem);
    assert_eq!(json["public_key"], hex.trim_end());

    let refused = run(chip.atecc().args(["pubkey", "--slot", "8"])).failed_with(1);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
}

#[test]
fn a_request_of_every_signing_slot_verifies_and_has_its_key() {
    let chip = Chip::new();
    for slot in ["0", "2", "3", "4"] {
        run(chip.atecc().args(["csr", "--slot", slot, "--out"]).arg(chip.path("request.pem"))).succeeded();
        let shown = openssl(&chip, "req -verify -noout -text -in request.pem");
        assert!(shown.contains("verify OK"), "{shown}");
        assert!(shown.contains(&format!("CN = {}", &chip.common_name()[2..])), "{shown}");
        let key = run(chip.atecc().args(["pubkey", "--slot", slot])).succeeded().text();
        assert_eq!(openssl(&chip, "req -noout -pubkey -in request.pem"), key);
    }
    run(chip.atecc().args(["csr", "--slot", "1"])).failed_with(1);
}

#[test]
fn a_part_for_lorawan_is_used_with_the_key_of_its_certificate() {
    let chip = Chip::holding(&provision::tng_lora().unwrap());
    let info = run(chip.atecc().args(["info", "--json"])).succeeded();
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert!(info["identity"]["subject"].as_str().unwrap().contains(&chip.common_name()), "{info}");
    run(chip.atecc().args(["cert", "device", "--out"]).arg(chip.path("device.pem"))).succeeded();
    let key = openssl(&chip, "x509 -in device.pem -noout -pubkey");
    assert_eq!(run(chip.atecc().arg("pubkey")).succeeded().text(), key);
    assert_eq!(run(chip.atecc().args(["pubkey", "--slot", "1"])).succeeded().text(), key);

    run(chip.atecc().args(["csr", "--out"]).arg(chip.path("request.pem"))).succeeded();
    assert_eq!(openssl(&chip, "req -noout -pubkey -in request.pem"), key);
    fs::write(chip.path("public.pem"), key).unwrap();
    fs::write(chip.path("message"), "the chip signs this").unwrap();
    let (message, signature) = (chip.path("message"), chip.path("signature"));
    run(chip.atecc().arg("sign").arg(&message).arg("--out").arg(&signature)).succeeded();
    openssl(&chip, "dgst -sha256 -verify public.pem -signature signature message");
    run(chip.atecc().arg("verify").arg(&message).arg("--signature").arg(&signature)).succeeded();
    // Slot 0 holds no such key there.
    run(chip.atecc().args(["pubkey", "--slot", "0"])).failed_with(1);
}

#[test]
fn a_request_carries_the_names_that_were_given() {
    let chip = Chip::new();
    let mut csr = chip.atecc();
    csr.args(["csr", "--slot", "2", "--subject", r"CN=pump-7,O=Pumps\, Pipes,C=DE", "--key-usage"]);
    for name in ["dns:pump-7.example.com", "ip:192.0.2.7", "uri:urn:example:pump:7", "email:pump@example.com"]
    {
        csr.args(["--san", name]);
    }
    fs::write(chip.path("request.pem"), run(&mut csr).succeeded().stdout).unwrap();
    let shown = openssl(&chip, "req -verify -noout -text -nameopt RFC2253 -in request.pem");
    for words in [
        "verify OK",
        r"Subject: C=DE,O=Pumps\, Pipes,CN=pump-7",
        "DNS:pump-7.example.com",
        "IP Address:192.0.2.7",
        "URI:urn:example:pump:7",
        "email:pump@example.com",
        "Digital Signature",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn a_request_with_an_impossible_name_is_refused() {
    let chip = Chip::new();
    for (arguments, code) in [
        (["--subject", "pump-7"], 2),
        (["--subject", "XX=pump-7"], 2),
        (["--san", "pump-7.example.com"], 2),
        (["--san", "ip:pump-7"], 2),
        (["--subject", "C=Germany"], 1),
        (["--san", "dns:pump 7"], 1),
    ] {
        let refused = run(chip.atecc().arg("csr").args(arguments)).failed_with(code);
        assert_eq!(refused.text(), "");
    }
}
