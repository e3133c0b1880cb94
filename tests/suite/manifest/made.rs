//! Manifests that the tests make, and what `atecc manifest` says of any.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{Chip, Finished, program, run};

/// A log signer of the tests, made with openssl.
pub(crate) struct LogSigner {
    folder: TempDir,
}

impl LogSigner {
    pub(crate) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-subj", "/O=Example/CN=Example Log Signer"]);
        run(openssl.arg("-keyout").arg(made.key()).arg("-out").arg(made.certificate())).succeeded();
        made
    }

    pub(super) fn key(&self) -> PathBuf {
        self.folder.path().join("log.key")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("log.pem")
    }

    /// The manifest that `atecc manifest create` makes for `chip`.
    pub(crate) fn create(&self, chip: &Chip) -> Finished {
        let mut atecc = chip.atecc();
        atecc.args(["manifest", "create", "--key"]).arg(self.key());
        run(atecc.arg("--certificate").arg(self.certificate()))
    }

    /// An entry whose protected header names this log signer, with the other members of `like`.
    pub(super) fn protected_header(&self, like: &Value) -> Value {
        let der =
            run(Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(self.certificate()));
        let der = der.succeeded().stdout;
        let extension = [0x04, 0x16, 0x04, 0x14];
        let start = der.windows(4).position(|bytes| bytes == extension).unwrap() + extension.len();
        let mut entry = like.clone();
        entry["protected"] = encode(&json!({
            "alg": "ES256",
            "kid": Base64UrlUnpadded::encode_string(&der[start..start + 20]),
            "x5t#S256": Base64UrlUnpadded::encode_string(&Sha256::digest(&der)),
        }))
        .into();
        entry
    }

    /// The entry around `payload`, with the protected header of `like`, signed anew.
    pub(super) fn sign(&self, like: &Value, payload: &Value) -> Value {
        self.sign_all(like, std::slice::from_ref(payload)).remove(0)
    }

    /// The same for many.
    pub(super) fn sign_all(&self, like: &Value, payloads: &[Value]) -> Vec<Value> {
        let key = self.signing_key();
        let protected = like["protected"].as_str().unwrap();
        let sign = |payload: &Value| {
            let text = encode(payload);
            let signature: Signature = key.sign(format!("{protected}.{text}").as_bytes());
            json!({
                "payload": text,
                "protected": protected,
                "header": { "uniqueId": payload["uniqueId"] },
                "signature": Base64UrlUnpadded::encode_string(&signature.to_bytes()),
            })
        };
        payloads.iter().map(sign).collect()
    }

    fn signing_key(&self) -> SigningKey {
        let der =
            run(Command::new("openssl").args(["pkey", "-outform", "DER", "-in"]).arg(self.key())).succeeded();
        // In PKCS#8 as openssl writes it the scalar follows the version of ECPrivateKey.
        let start = der.stdout.windows(5).position(|bytes| bytes == [2, 1, 1, 4, 32]).unwrap() + 5;
        SigningKey::from_slice(&der.stdout[start..start + 32]).unwrap()
    }
}

/// JSON in base64url.
pub(super) fn encode(value: &Value) -> String {
    Base64UrlUnpadded::encode_string(value.to_string().as_bytes())
}

/// The JSON in base64url of a member.
pub(super) fn decode(entry: &Value, member: &str) -> Value {
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(entry[member].as_str().unwrap()).unwrap()).unwrap()
}

/// What `verify --json` says of these entries, and its exit code.
pub(super) fn verify(entries: &[Value], trusted: &[(&str, &Path)]) -> (Value, Option<i32>) {
    verify_text(&Value::from(entries).to_string(), trusted)
}

/// The same for a file that may be anything.
pub(super) fn verify_text(manifest: &str, trusted: &[(&str, &Path)]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    std::fs::write(&file, manifest).unwrap();
    let finished = run(&mut verify_file(&file, trusted));
    let report = serde_json::from_slice(&finished.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", finished.all()));
    (report, finished.status.code())
}

/// `atecc manifest verify --json`.
pub(super) fn verify_file(file: &Path, trusted: &[(&str, &Path)]) -> Command {
    let mut command = Command::new(program("atecc"));
    command.args(["manifest", "verify", "--json"]).arg(file);
    for (option, path) in trusted {
        command.arg(option).arg(path);
    }
    command
}
