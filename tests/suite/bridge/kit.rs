//! Microchip's own library, unmodified, over its kit protocol: on the same port as the other protocol.

use std::{path::Path, process::Command};

use atecc::{PublicKey, Signature, Slot};
use atecc_token::Token;

use super::board::Board;
use crate::support::{repository, run, unhex};

/// The library that gives modem lines to pseudo-terminals.
fn modem_lines(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("modem_lines.so");
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]).arg(&library);
    run(gcc.arg(repository().join("tests/preload/modem_lines.c")).arg("-ldl")).succeeded();
    library
}

#[test]
fn the_vendors_library_signs_over_text_on_the_same_port() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let digest = [0x5a; 32];
    let token = Token::open(&board.device().parse().unwrap()).unwrap();
    let mut python = Command::new(crate::vendor::python());
    python.env("LD_PRELOAD", modem_lines(folder.path())).arg(repository().join("tests/vendor/kit.py"));
    // The library has room for 20 characters: the node, not the name that stays.
    python.arg(board.port().canonicalize().unwrap()).arg("5a".repeat(32));
    let answers = run(&mut python).succeeded().text();
    let answer = |name: &str| {
        let line = answers.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        unhex(line.trim())
    };
    assert_eq!(answer("revision"), [0x00, 0x00, 0x60, 0x03]);
    assert_eq!(answer("serial"), unhex(&board.serial_number()));
    let key = PublicKey::from_bytes(answer("key").try_into().unwrap());
    assert_eq!(key, token.public_key(Slot::PRIMARY_KEY).unwrap());
    assert!(key.verify(&digest, &Signature::from_bytes(answer("signature").try_into().unwrap())));
    // Both protocols, one after the other, on one port.
    token.sign(Slot::PRIMARY_KEY, &digest).unwrap();
    // It rebuilds certificates with Microchip's names, which an emulated chip does not bear; key and signature are those
    // that the chip stores.
    let (theirs, ours) = (answer("certificate"), token.certificates().unwrap().device.clone());
    assert!(theirs.windows(64).any(|bytes| bytes == key.as_bytes()));
    assert_eq!(theirs[theirs.len() - 64..], ours[ours.len() - 64..]);
}
