//! Many processes on one chip.

use std::{fs, process::Command, thread, time::Duration};

use super::support::{Chip, Running, run, unhex};

const PROCESSES: u32 = 10;

/// A line of sign-many: a digest and the signature over it, or why there is none.
type Signed = Result<(Vec<u8>, Vec<u8>), String>;

/// The lines of sign-many.
fn signatures(output: &str) -> Vec<Signed> {
    output
        .lines()
        .map(|line| match line.split_once(' ') {
            Some(("error:", reason)) => Err(reason.to_owned()),
            Some((digest, signature)) => Ok((unhex(digest), unhex(signature))),
            None => panic!("sign-many printed {line:?}"),
        })
        .collect()
}

/// Runs sign-many in ten processes at once, each with digests of its own.
fn sign_in_ten_processes(arguments: &[&str], count: u32) -> Vec<Signed> {
    let running: Vec<Running> = (0..PROCESSES)
        .map(|seed| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sign-many"));
            command.args(arguments).args([count.to_string(), seed.to_string()]);
            Running::start(&mut command)
        })
        .collect();
    let finished: Vec<_> = thread::scope(|scope| {
        let waiting: Vec<_> = running
            .into_iter()
            .map(|process| scope.spawn(move || process.finish(Duration::from_secs(400)).succeeded()))
            .collect();
        waiting.into_iter().map(|process| process.join().unwrap()).collect()
    });
    finished.iter().flat_map(|process| signatures(&process.text())).collect()
}

/// Whether openssl finds that `signature` (r, s) over `digest` was made with the chip's key.
fn openssl_verifies(chip: &Chip, name: &str, digest: &[u8], signature: &[u8]) -> bool {
    let (digest_file, signature_file) =
        (chip.path(&format!("{name}.digest")), chip.path(&format!("{name}.sig")));
    fs::write(&digest_file, digest).unwrap();
    fs::write(&signature_file, der_signature(signature)).unwrap();
    let verified = run(Command::new("openssl")
        .args(["pkeyutl", "-verify", "-certin", "-inkey"])
        .arg(chip.path("device.pem"))
        .arg("-in")
        .arg(&digest_file)
        .arg("-sigfile")
        .arg(&signature_file));
    verified.status.success()
}

/// ECDSA-Sig-Value (RFC 3279) of r and s, 32 bytes each.
pub(crate) fn der_signature(r_s: &[u8]) -> Vec<u8> {
    let integer = |big_endian: &[u8]| {
        let digits: Vec<u8> = big_endian.iter().copied().skip_while(|&byte| byte == 0).collect();
        let sign: &[u8] = if digits.first().is_none_or(|&byte| byte >= 0x80) { &[0] } else { &[] };
        [&[0x02, (sign.len() + digits.len()) as u8], sign, &digits].concat()
    };
    let content = [integer(&r_s[..32]), integer(&r_s[32..])].concat();
    [&[0x30, content.len() as u8][..], &content].concat()
}

#[test]
fn ten_processes_sign_five_hundred_digests_through_the_lock() {
    let chip = Chip::new();
    let bus = chip.serve();
    let signatures = sign_in_ten_processes(&[&bus.device()], 50);
    assert_eq!(signatures.len(), 500);
    for (index, signature) in signatures.into_iter().enumerate() {
        let (digest, signature) = signature.unwrap_or_else(|error| panic!("signature {index}: {error}"));
        assert!(openssl_verifies(&chip, "one", &digest, &signature), "signature {index} does not verify");
    }
}

/// The test of the test: without the lock the same load on the same bus goes wrong.
#[test]
fn without_the_lock_signatures_go_wrong() {
    let chip = Chip::new();
    let bus = chip.serve();
    let signatures = sign_in_ten_processes(&["--no-lock", &bus.socket.to_string_lossy()], 3);
    let failures = signatures
        .iter()
        .filter(|signature| match signature {
            Ok((digest, signature)) => !openssl_verifies(&chip, "one", digest, signature),
            Err(_) => true,
        })
        .count();
    assert!(failures > 0, "thirty signatures of ten processes came out right without a lock");
}

#[test]
fn a_holder_that_is_killed_leaves_the_bus_free() {
    let chip = Chip::new();
    let bus = chip.serve();
    let mut endless = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    endless.args([&bus.device(), "1000000", "1"]);
    for _ in 0..5 {
        let mut holder = Running::start(&mut endless);
        thread::sleep(Duration::from_millis(300));
        holder.kill();
        // Whatever the chip was doing then, the next one gets a good signature.
        let mut next = Command::new(env!("CARGO_BIN_EXE_sign-many"));
        let output = run(next.args([&bus.device(), "1", "2"])).succeeded();
        let (digest, signature) = signatures(&output.text()).remove(0).unwrap();
        assert!(openssl_verifies(&chip, "one", &digest, &signature));
    }
}
