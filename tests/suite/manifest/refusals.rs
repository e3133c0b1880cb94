//! What is reported of entries that are not those of a Trust&GO part, and of files that are no manifest.

use std::{fs, process::Command};

use serde_json::{Value, json};

use super::made::{LogSigner, decode, encode, verify, verify_text};
use crate::support::{Chip, program, run};

/// The first entry of ECC608-TMNGTLSS-B.json, a TrustMANAGER part: AWS thingpress, test/artifacts, MIT-0.
fn trust_manager() -> Value {
    json!({
        "payload": concat!(
            "eyJ2ZXJzaW9uIjoyLCJtb2RlbCI6IkFURUNDNjA4QyIsInBhcnROdW1iZXIiOiJBVEVDQzYwOEMtU1NIOFEiLCJtYW51ZmFjdHVyZXIi",
            "Onsib3JnYW5pemF0aW9uTmFtZSI6Ik1pY3JvY2hpcCBUZWNobm9sb2d5IEluYyIsIm9yZ2FuaXphdGlvbmFsVW5pdE5hbWUiOiJTZWN1",
            "cml0eSBhbmQgQ29tcHV0aW5nIEdyb3VwIn0sInByb3Zpc2lvbmVyIjp7Im9yZ2FuaXphdGlvbk5hbWUiOiJNaWNyb2NoaXAgVGVjaG5v",
            "bG9neSBJbmMiLCJvcmdhbml6YXRpb25hbFVuaXROYW1lIjoiU2VjdXJpdHkgYW5kIENvbXB1dGluZyBHcm91cCJ9LCJkaXN0cmlidXRv",
            "ciI6eyJvcmdhbml6YXRpb25OYW1lIjoiTWljcm9jaGlwIFRlY2hub2xvZ3kgSW5jIiwib3JnYW5pemF0aW9uYWxVbml0TmFtZSI6Ik1p",
            "Y3JvY2hpcCBEaXJlY3QifSwiZ3JvdXBJZCI6IjZQTU1FU1M5SlZGNEc5NjMiLCJwcm92aXNpb25pbmdUaW1lc3RhbXAiOiIyMDI1LTA1",
            "LTEwVDAxOjUyOjI5LjI0MFoiLCJ1bmlxdWVJZCI6IjAxMjMwY2FjNjYwNmU5OTQwMSJ9",
        ),
        "protected": concat!(
            "eyJhbGciOiJFUzI1NiIsImtpZCI6IlRDbnBuellCOE0zQ083NzZCeVBKMnlYM0tZbyIsInR5cCI6IkpXVCIsIng1dCNTMjU2IjoiVngy",
            "WmhCRVg0Ni16VHlpSVlFV1FQNmVGekNnOTB1Z0dqaDVlcEdCTTRPTSJ9",
        ),
        "header": { "uniqueId": "01230cac6606e99401" },
        "signature": "W8Pl8PXLYv8EUtnmrqKrHN6Iu22yuRfVoQPwcKPpTOghz1s_BNDRhLCn7kcG_pCSCA1l0MpvRObs1YlHM3apJA",
    })
}

/// Signed by Microchip's Manifest Signer 005: the pinned key is the right one, with real data always at hand.
#[test]
fn an_entry_without_keys_is_reported() {
    let (report, code) = verify(&[trust_manager()], &[]);
    assert_eq!(code, Some(0));
    assert_eq!((&report["without_certificate"], &report["refused"]), (&json!(1), &json!(0)));
    let problem = &report["problems"][0];
    assert_eq!((&problem["result"], &problem["entry"]), (&json!("without_keys"), &json!(1)));
    assert_eq!(problem["serial_number"], "01230cac6606e99401");
    assert!(problem["reason"].as_str().unwrap().contains("TrustMANAGER"));

    let mut forged = trust_manager();
    forged["signature"] = forged["signature"].as_str().unwrap().replace('W', "X").into();
    let (report, code) = verify(&[trust_manager(), forged], &[]);
    assert_eq!((code, &report["refused"], &report["problems"][1]["entry"]), (Some(1), &json!(1), &json!(2)));
    let reason = report["problems"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("its signature is not that of Manifest Signer 005"), "{reason}");
}

#[test]
fn each_kind_of_entry_that_is_not_believed_has_its_reason() {
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let manifest: Value = serde_json::from_slice(&log_signer.create(&chip).succeeded().stdout).unwrap();
    let (good, payload) = (&manifest[0], decode(&manifest[0], "payload"));
    let changed = |pointer: &str, value: Value| {
        let mut payload = payload.clone();
        *payload.pointer_mut(pointer).unwrap() = value;
        log_signer.sign(good, &payload)
    };
    let protected = |member: &str, value: Value| {
        let mut header = decode(good, "protected");
        header[member] = value;
        let mut like = good.clone();
        like["protected"] = encode(&header).into();
        log_signer.sign(&like, &payload)
    };
    let key = |index: usize| payload["publicKeySet"]["keys"][index].clone();
    let serial_number = "012300000000000001";
    let mut header = good.clone();
    header["header"]["uniqueId"] = serial_number.into();
    let mut no_header = good.clone();
    no_header.as_object_mut().unwrap().remove("header");
    let chain = &payload["publicKeySet"]["keys"][0]["x5c"];
    let cases = [
        (header, "its header says serial number"),
        (no_header, "it is no signed entry: missing field `header`"),
        (json!({}), "it is no signed entry"),
        (protected("alg", json!("none")), "it is signed with none"),
        (protected("crit", json!(["b64"])), "must be understood (crit)"),
        (protected("kid", json!("AAAA")), "its kid is not the key identifier of"),
        (protected("x5t#S256", json!("AAAA")), "give its certificate with --log-signer"),
        (changed("/version", json!(3)), "its format has version 3"),
        (changed("/uniqueId", json!("0123")), "\"0123\" is not 18 hexadecimal digits"),
        (changed("/uniqueId", json!(serial_number)), "and the entry for chip 012300000000000001"),
        (
            changed("/publicKeySet/keys/0/x", key(1)["x"].clone()),
            "its key \"0\" is not a public key on the curve",
        ),
        (changed("/publicKeySet/keys/3/crv", json!("P-384")), "its key \"3\" is not"),
        (changed("/publicKeySet/keys/3", key(1)), "it has two keys \"1\""),
        (changed("/publicKeySet/keys/0/x5c", json!([chain[0]])), "it has 1 certificates"),
        (changed("/publicKeySet/keys/0/x5c/0", chain[1].clone()), "is for another key than the entry's"),
        (changed("/publicKeySet/keys/0/x5c/1", chain[0].clone()), "its signer's certificate was issued by"),
    ];
    let entries: Vec<Value> = cases.iter().map(|(entry, _)| entry.clone()).collect();
    let (certificate, root) = (log_signer.certificate(), chip.path("root.pem"));
    let (report, code) = verify(&entries, &[("--log-signer", &certificate), ("--root", &root)]);
    assert_eq!((code, &report["refused"]), (Some(1), &json!(cases.len())), "{report:#}");
    for ((_, expected), problem) in cases.iter().zip(report["problems"].as_array().unwrap()) {
        let reason = problem["reason"].as_str().unwrap();
        assert!(reason.contains(expected), "{expected}: {reason}");
    }

    // The keys of another entry, and none with a certificate: it says so, and nothing was forged.
    let mut keys = payload["publicKeySet"]["keys"].as_array().unwrap().clone();
    keys.remove(0);
    let entry = changed("/publicKeySet/keys", keys.into());
    let (report, code) = verify(&[entry], &[("--log-signer", &certificate), ("--root", &root)]);
    assert_eq!((code, &report["problems"][0]["result"]), (Some(0), &json!("without_certificate")));
}

#[test]
fn damaged_files_say_where() {
    let good = trust_manager().to_string();
    for (text, entries, expected) in [
        ("", 0, "is no manifest"),
        ("[", 0, "ends within entry 1"),
        ("[]", 0, "has no entries"),
        (&format!("[{good}"), 1, "ends within entry 2"),
        (&format!("[{good},{good}"), 2, "ends within entry 3"),
        (&format!("[{good},{{]"), 1, "entry 2 is not JSON"),
        (&format!("[{good}] and more"), 1, "something stands behind the manifest"),
        (
            &format!("[{good},{{\"payload\":\"{}", "x".repeat(100_000)),
            1,
            "entry 2 is longer than 65536 bytes",
        ),
        (&format!("[{good},{{\"payload\":{}", "[".repeat(100_000)), 1, "entry 2 is longer than 65536 bytes"),
    ] {
        let (report, code) = verify_text(text, &[]);
        assert_eq!((code, &report["entries"]), (Some(1), &json!(entries)), "{expected}");
        if expected != "has no entries" {
            assert!(report["error"].as_str().unwrap().contains(expected), "{report}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifest.json");
        fs::write(&file, text).unwrap();
        let stderr =
            run(Command::new(program("atecc")).args(["manifest", "verify"]).arg(&file)).failed_with(1).stderr;
        assert!(stderr.contains(expected), "{stderr}");
    }
}

/// Entries with random members changed: whatever is in them, each has one verdict, and none is believed.
#[test]
fn random_entries_are_refused_one_by_one() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    let log_signer = LogSigner::new();
    let manifest: Value =
        serde_json::from_slice(&log_signer.create(&Chip::new()).succeeded().stdout).unwrap();
    let payload = decode(&manifest[0], "payload");
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{202e}"),
        json!([]),
        json!({}),
        json!("====".repeat(500)),
        json!([[[[[]]]]]),
        json!("MA"),
        json!("MII"),
        json!({ "uniqueId": 7 }),
    ];
    let paths = |value: &Value| {
        let mut paths = vec![String::new()];
        let mut at = 0;
        while at < paths.len() {
            let path = paths[at].clone();
            match value.pointer(&path).unwrap() {
                Value::Object(members) => paths.extend(members.keys().map(|name| format!("{path}/{name}"))),
                Value::Array(items) => paths.extend((0..items.len()).map(|index| format!("{path}/{index}"))),
                _ => {}
            }
            at += 1;
        }
        paths
    };
    let mut entries = Vec::new();
    for round in 0..600 {
        // Inside of what is signed, then around it.
        let mut value = if round % 2 == 0 { payload.clone() } else { manifest[0].clone() };
        let all = paths(&value);
        for _ in 0..=random(3) {
            let path = &all[1 + random(all.len() - 1)];
            if let Some(place) = value.pointer_mut(path) {
                *place = values[random(values.len())].clone();
            }
        }
        entries.push(if round % 2 == 0 { log_signer.sign(&manifest[0], &value) } else { value });
    }
    let certificate = log_signer.certificate();
    let (report, code) = verify(&entries, &[("--log-signer", &certificate)]);
    assert_eq!((code, &report["entries"], &report["error"]), (Some(1), &json!(600), &json!(null)));
    // The root is not given, so a certificate that is left whole verifies nothing either.
    assert_eq!(report["verified"], 0);
    let show = |json: bool| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifest.json");
        fs::write(&file, Value::from(entries.clone()).to_string()).unwrap();
        let mut command = Command::new(program("atecc"));
        command.args(["manifest", "show"]).arg(&file).args(json.then_some("--json"));
        run(&mut command).succeeded().text()
    };
    let text = show(false);
    assert_eq!(text.lines().count(), 601);
    assert!(!text.contains('\u{0}') && !text.contains('\u{202e}'), "control characters reach the terminal");
    assert_eq!(serde_json::from_str::<Value>(&show(true)).unwrap().as_array().unwrap().len(), 600);
}
