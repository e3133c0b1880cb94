//! Secrets: ECDH, HMAC and AES, each against openssl.

use std::fs;

use super::{Configured, openssl, run};
use crate::{c_surface::Program, support::module};

/// The emulated chip's slot 9 is as empty as the factory leaves it.
const ZERO_KEY: &str = "00000000000000000000000000000000";
const IV: &str = "000102030405060708090a0b0c0d0e0f";

fn peer(configured: &Configured) -> (String, String) {
    let (key, public) = (configured.path("peer.pem"), configured.path("peer.der"));
    openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
    openssl(&["ec", "-in", &key, "-pubout", "-outform", "DER", "-out", &public]);
    (key, public)
}

/// Every mode in one part and in several, MACs, and what was changed on the way.
#[test]
fn published_numbers_come_out_with_keys_of_the_application() {
    let configured = Configured::new("");
    let program = Program::compile("ciphers");
    let mut plainly = configured.command(program.path.to_str().unwrap());
    assert_eq!(run(plainly.arg(module())).succeeded().text(), "no failures\n");
    let mut valgrind = configured.command("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
    let finished = run(valgrind.arg(&program.path).arg(module()).env_remove("ATECC_LOG")).succeeded();
    assert_eq!((finished.text().as_str(), finished.stderr.as_str()), ("no failures\n", ""));
}

#[test]
fn both_sides_derive_the_same_secret() {
    let configured = Configured::new("");
    let (peer_key, peer_public) = peer(&configured);
    let (ours, theirs) = (configured.path("ours"), configured.path("theirs"));
    let derive = ["--derive", "--mechanism", "ECDH1-DERIVE", "--label", "device"];
    configured
        .tool(&[&derive[..], &["--input-file", &peer_public, "--output-file", &ours]].concat())
        .succeeded();
    let public = configured.public_key("device");
    openssl(&["pkeyutl", "-derive", "-inkey", &peer_key, "-peerkey", &public, "-out", &theirs]);
    let ours = fs::read(ours).unwrap();
    assert_eq!(ours.len(), 32);
    assert_eq!(ours, fs::read(theirs).unwrap());
}

#[test]
fn openssl_derives_through_the_engine() {
    let configured = Configured::new("");
    let (peer_key, peer_public) = peer(&configured);
    let (ours, theirs, pem) =
        (configured.path("ours"), configured.path("theirs"), configured.path("peer.pub"));
    openssl(&["pkey", "-pubin", "-inform", "DER", "-in", &peer_public, "-out", &pem]);
    let mut derive = configured.command("openssl");
    derive.args(["pkeyutl", "-engine", "pkcs11", "-keyform", "engine", "-derive", "-peerkey", &pem]);
    derive.args(["-inkey", "pkcs11:object=device;type=private", "-out", &ours]);
    run(derive.env("PKCS11_MODULE_PATH", module())).succeeded();
    let public = configured.public_key("device");
    openssl(&["pkeyutl", "-derive", "-inkey", &peer_key, "-peerkey", &public, "-out", &theirs]);
    assert_eq!(fs::read(ours).unwrap(), fs::read(theirs).unwrap());
}

#[test]
fn a_point_that_is_none_of_the_curve_is_the_callers_mistake() {
    let configured = Configured::new("");
    let (_, public) = peer(&configured);
    let mut bytes = fs::read(&public).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&public, bytes).unwrap();
    let derive = ["--derive", "--mechanism", "ECDH1-DERIVE", "--label", "device", "--input-file", &public];
    let refused = configured.tool(&derive);
    // OpenSSL inside of pkcs11-tool may see it before the module does.
    assert!(!refused.status.success(), "{}", refused.all());
}

#[test]
fn an_hmac_of_the_chip_is_that_of_openssl() {
    let configured = Configured::new("");
    let (message, ours) = (configured.path("message"), configured.path("mac"));
    for length in [0, 1, 63, 64, 65, 300] {
        fs::write(&message, vec![0x5a; length]).unwrap();
        let sign = ["--sign", "--mechanism", "SHA256-HMAC", "--id", "09ff"];
        configured
            .tool(&[&sign[..], &["--input-file", &message, "--output-file", &ours]].concat())
            .succeeded();
        let key = format!("hexkey:{ZERO_KEY}{ZERO_KEY}");
        let theirs = openssl(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &key, "-binary", &message]);
        assert_eq!(fs::read(&ours).unwrap(), theirs.stdout, "{length} bytes");
    }
}

#[test]
fn what_the_chip_encrypts_openssl_decrypts_and_the_other_way_round() {
    let configured = Configured::new("");
    let (plain, ours, theirs) =
        (configured.path("plain"), configured.path("ours"), configured.path("theirs"));
    for (mechanism, cipher, lengths) in [
        ("AES-ECB", "-aes-128-ecb", &[16, 48][..]),
        ("AES-CBC", "-aes-128-cbc", &[16, 64][..]),
        ("AES-CBC-PAD", "-aes-128-cbc", &[1, 15, 16, 100][..]),
    ] {
        for &length in lengths {
            let text: Vec<u8> = (0..length).map(|number| number as u8).collect();
            fs::write(&plain, &text).unwrap();
            let mut encrypt = vec!["enc", "-e", cipher, "-K", ZERO_KEY, "-in", &plain, "-out", &theirs];
            let mut tool = vec!["--mechanism", mechanism, "--id", "0900"];
            if mechanism != "AES-ECB" {
                encrypt.extend(["-iv", IV]);
                tool.extend(["--iv", IV]);
            }
            if mechanism != "AES-CBC-PAD" {
                encrypt.push("-nopad");
            }
            openssl(&encrypt);
            let files = ["--encrypt", "--input-file", &plain, "--output-file", &ours];
            configured.tool(&[&tool[..], &files].concat()).succeeded();
            assert_eq!(fs::read(&ours).unwrap(), fs::read(&theirs).unwrap(), "{mechanism}, {length} bytes");
            let files = ["--decrypt", "--input-file", &theirs, "--output-file", &ours];
            configured.tool(&[&tool[..], &files].concat()).succeeded();
            assert_eq!(fs::read(&ours).unwrap(), text, "{mechanism}, {length} bytes");
        }
    }
}
