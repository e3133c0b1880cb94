//! `verify` with signatures of others, and with wrong ones.

use std::{fs, path::Path, process::Command};

use super::signatures::{atecc, chip};
use crate::support::{program, run};

/// A key pair that openssl made, its certificate, and a signature over the message.
fn openssl_signs(folder: &Path) {
    let openssl = |line: &str| {
        run(Command::new("openssl").current_dir(folder).args(line.split(' '))).succeeded();
    };
    openssl("ecparam -name prime256v1 -genkey -noout -out other.key");
    openssl("ec -in other.key -pubout -out other.pem");
    openssl("req -x509 -new -key other.key -subj /CN=other -days 2 -out other.crt");
    openssl("dgst -sha256 -sign other.key -out other.sig message");
}

#[test]
fn signatures_of_openssl_verify_here_and_in_the_chip() {
    let chip = chip();
    openssl_signs(chip.folder());
    for key in ["other.pem", "other.crt"] {
        let arguments = ["verify", "message", "--signature", "other.sig", "--key", key];
        // Without --in-chip no chip is needed.
        let mut without_chip = Command::new(program("atecc"));
        without_chip.current_dir(chip.folder()).args(arguments).env_remove("ATECC_DEVICE");
        assert_eq!(run(&mut without_chip).succeeded().text(), "Verified OK\n");
        let by_chip = run(atecc(&chip, &arguments).args(["--in-chip", "--json"])).succeeded().text();
        assert!(by_chip.contains("\"verified\": true") && by_chip.contains("\"by\": \"chip\""), "{by_chip}");
    }
}

#[test]
fn a_wrong_signature_is_told_from_a_wrong_file() {
    let chip = chip();
    openssl_signs(chip.folder());
    fs::write(chip.path("changed"), b"the chip signs that").unwrap();
    run(&mut atecc(&chip, &["sign", "message", "--out", "signature"])).succeeded();
    for wrong in [
        &["verify", "changed", "--signature", "signature"][..],
        &["verify", "changed", "--signature", "signature", "--in-chip"],
        &["verify", "message", "--signature", "other.sig"],
        &["verify", "message", "--signature", "signature", "--key", "other.pem", "--in-chip"],
    ] {
        let refused = run(&mut atecc(&chip, wrong)).failed_with(1);
        assert_eq!(refused.text(), "");
        assert_eq!(refused.stderr, "atecc: the signature was not made with this key over this message\n");
    }
    let json =
        run(&mut atecc(&chip, &["verify", "changed", "--signature", "signature", "--json"])).failed_with(1);
    assert!(json.text().contains("\"verified\": false"), "{}", json.all());
    for (signature, key, words) in [
        ("message", "public.pem", "holds no signature"),
        ("signature", "message", "holds no P-256 public key"),
        ("nothing", "public.pem", "nothing cannot be read"),
    ] {
        let refused = run(&mut atecc(&chip, &["verify", "message", "--signature", signature, "--key", key]))
            .failed_with(1);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}
