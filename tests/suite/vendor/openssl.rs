//! The third opinion: openssl on keys, signatures and digests that are bare bytes.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::{
    shared_bus::der_signature,
    support::{run, run_with_input},
};

/// What stands before X and Y in a SubjectPublicKeyInfo of P-256 (RFC 5480, section 2).
const PUBLIC_KEY_HEADER: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// Whether `signature` (r, s) over `digest` was made with the key whose X and Y are given.
pub(super) fn verifies(public_key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey"]);
    command.arg(file("key.der", &[&PUBLIC_KEY_HEADER, public_key].concat()));
    command.arg("-in").arg(file("digest", digest));
    run(command.arg("-sigfile").arg(file("signature", &der_signature(signature)))).status.success()
}

/// What `openssl ARGUMENTS` makes of `input`.
#[track_caller]
pub(super) fn filter(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    run_with_input(Command::new("openssl").args(arguments), input).succeeded().stdout
}

/// SHA-256.
pub(super) fn sha256(message: &[u8]) -> [u8; 32] {
    filter(&["dgst", "-sha256", "-binary"], message).try_into().unwrap()
}

/// A key pair outside of any chip.
pub(super) struct HostKey {
    folder: TempDir,
}

impl HostKey {
    pub(super) fn new() -> Self {
        let key = Self { folder: tempfile::tempdir().unwrap() };
        let mut command = Command::new("openssl");
        command.args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]);
        run(command.arg(key.folder.path().join("key.pem"))).succeeded();
        key
    }

    /// X and Y.
    pub(super) fn public_key(&self) -> Vec<u8> {
        let mut command = Command::new("openssl");
        command.args(["pkey", "-pubout", "-outform", "DER", "-in"]).arg(self.folder.path().join("key.pem"));
        let der = run(&mut command).succeeded().stdout;
        der.strip_prefix(&PUBLIC_KEY_HEADER).unwrap().to_vec()
    }

    /// The scalar, 32 bytes.
    pub(super) fn private_key(&self) -> Vec<u8> {
        let mut command = Command::new("openssl");
        command.args(["ec", "-outform", "DER", "-in"]).arg(self.folder.path().join("key.pem"));
        // ECPrivateKey (RFC 5915): a sequence, the version, then the key as octets.
        run(&mut command).succeeded().stdout[7..39].to_vec()
    }

    /// r and s over `digest`.
    pub(super) fn sign(&self, digest: &[u8; 32]) -> Vec<u8> {
        let key = self.folder.path().join("key.pem");
        let key = key.to_str().unwrap();
        let der = filter(&["pkeyutl", "-sign", "-inkey", key], digest);
        // Two integers in a sequence, either with a zero in front or too short.
        let (mut numbers, mut rest) = (Vec::new(), &der[2..]);
        while let [0x02, length, behind @ ..] = rest {
            let (number, behind) = behind.split_at(usize::from(*length));
            let digits: Vec<u8> = number.iter().copied().skip_while(|&byte| byte == 0).collect();
            numbers.extend(vec![0; 32 - digits.len()]);
            numbers.extend(digits);
            rest = behind;
        }
        assert_eq!(numbers.len(), 64);
        numbers
    }

    /// The secret shared with whoever holds the key to X and Y.
    pub(super) fn agree(&self, public_key: &[u8]) -> Vec<u8> {
        let peer = self.folder.path().join("peer.der");
        fs::write(&peer, [&PUBLIC_KEY_HEADER, public_key].concat()).unwrap();
        let mut command = Command::new("openssl");
        command.args(["pkeyutl", "-derive", "-inkey"]).arg(self.folder.path().join("key.pem"));
        run(command.args(["-peerform", "DER", "-peerkey"]).arg(peer)).succeeded().stdout
    }
}
