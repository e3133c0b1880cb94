//! Answers that are none.

use serde_json::{Value, json};

use super::scripted::{Answer, serve};
use super::site::{Site, provisioned, with_claim};

/// What comes of these answers, in one sentence.
fn told(site: &Site, more: &str, answers: Vec<Answer>) -> String {
    let address = serve(site.folder.path(), answers);
    let text = format!(
        "endpoint = 'scripted.test'\naddress = '{address}'\nca_file = 'scripted.pem'\n{}\n[outbox]\nfolder = 'state'\n{}",
        if more.contains("issued") { String::new() } else { format!("device = '{}'", site.device()) },
        with_claim(more).replace("{serial}", "1")
    );
    let config = atecc_agent::config::Config::parse(&text, &site.path("agent.toml")).unwrap();
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(!error.contains('\n') && !error.contains("SECRET"), "{error}");
    error
}

fn json(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// A certificate for a key that nobody has.
fn foreign() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem()
}

#[test]
fn an_answer_that_cannot_be_used_is_told_and_leaves_nothing() {
    let site = Site::new();
    let created = |certificate: &str| {
        json(
            &json!({"certificateId": "a", "certificatePem": certificate, "certificateOwnershipToken": "SECRET"}),
        )
    };
    for (answer, says) in [
        (("accepted", b"not json".to_vec()), "no JSON object"),
        (("accepted", Vec::new()), "no JSON object"),
        (("accepted", vec![0xff; 100_000]), "no JSON object"),
        (("accepted", json(&json!({"certificateId": "a"}))), "missing field"),
        (("accepted", created("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")), "damaged"),
        (("accepted", created("")), "no `-----BEGIN CERTIFICATE-----`"),
        (("accepted", created(&foreign())), "is not for the key in the chip"),
        (("rejected", b"[".to_vec()), "no JSON object"),
        (("rejected", json(&json!({"statusCode": "many"}))), "invalid type"),
        (("rejected", json(&json!({}))), "CreateCertificateFromCsr was rejected"),
        (("rejected", json(&json!({"statusCode": 500, "errorCode": "InternalFailure"}))), "may pass"),
    ] {
        let error = told(&site, "", vec![answer]);
        assert!(error.contains(says), "{says}: {error}");
        assert!(!site.path("state/provision.json").exists(), "{says}");
    }
    assert!(!site.path("state/certificate.pem").exists());
}

#[test]
fn openssl_verifies_the_request_of_each_kind_of_key() {
    let site = Site::new();
    for (kind, lines, name) in [
        ("", format!("device = '{}'", site.device()), format!("sn{}", site.serial)),
        ("EC", "key = 'own.pem'".to_owned(), "gateway-".to_owned()),
        ("RSA", "key = 'own.pem'".to_owned(), "gateway-".to_owned()),
    ] {
        if !kind.is_empty() {
            let mut openssl = std::process::Command::new("openssl");
            openssl.args(["genpkey", "-algorithm", kind]);
            openssl.args([
                "-pkeyopt",
                if kind == "EC" { "ec_paramgen_curve:P-384" } else { "rsa_keygen_bits:2048" },
            ]);
            assert!(openssl.arg("-out").arg(site.path("own.pem")).output().unwrap().status.success());
        }
        let rejected = json(&json!({"statusCode": 400}));
        let address = serve(site.folder.path(), vec![("rejected", rejected)]);
        let text = format!(
            "endpoint = 'scripted.test'\naddress = '{address}'\nca_file = 'scripted.pem'\n{lines}\n[outbox]\nfolder = 'state'\n{}",
            with_claim("").replace("{serial}", "1")
        );
        let config = atecc_agent::config::Config::parse(&text, &site.path("agent.toml")).unwrap();
        provisioned(&config).unwrap_err();
        let request: Value = serde_json::from_slice(&std::fs::read(site.path("request")).unwrap()).unwrap();
        std::fs::write(site.path("csr"), request["certificateSigningRequest"].as_str().unwrap()).unwrap();
        let mut openssl = std::process::Command::new("openssl");
        let output =
            openssl.args(["req", "-verify", "-noout", "-subject", "-in"]).arg(site.path("csr")).output();
        let output = output.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("verify OK") && said.contains(&format!("CN = {name}")), "{kind}: {said}");
    }
}

#[test]
fn an_issued_key_must_be_there_and_fit() {
    let site = Site::new();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let created = |key: Option<&str>| {
        let certificate = foreign();
        json(
            &json!({"certificateId": "a", "certificatePem": certificate, "certificateOwnershipToken": "SECRET", "privateKey": key}),
        )
    };
    for (answer, says) in [
        (created(None), "not for the key"),
        (created(Some(&key)), "is not for the key in the key that was sent"),
        (created(Some("SECRET")), "no private key"),
    ] {
        let error = told(&site, "key = 'issued'", vec![("accepted", answer)]);
        assert!(error.contains(says), "{says}: {error}");
    }
    assert!(!site.path("state/device.pem").exists() && !site.path("state/provision.json").exists());
}

#[test]
fn too_much_at_once_is_asked_again() {
    let site = Site::new();
    let throttled = || ("rejected", json(&json!({"statusCode": 429, "errorCode": "ThrottlingException"})));
    let last =
        ("rejected", json(&json!({"statusCode": 400, "errorCode": "InvalidCsr", "errorMessage": "no"})));
    let error = told(&site, "", vec![throttled(), last]);
    assert!(error.starts_with("CreateCertificateFromCsr was rejected (400 InvalidCsr: no)"), "{error}");
}
