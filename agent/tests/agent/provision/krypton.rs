//! SORACOM Krypton, against a stub that checks what it is sent.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use atecc_agent::provision::provision;
use iot_core_emulator::Status;
use serde_json::{Value, json};

use super::site::{Site, block_on, id_of, mode, provisioned, to_a_puback};
use super::stub::{IMSI, Soracom};

const BOOTSTRAP: &str = "/v1/provisioning/aws/iot/bootstrap";

/// A stub that makes a new identity for each bootstrap, active in the site's cloud with `policy`.
fn soracom(site: &Arc<Site>, policy: &'static str) -> Soracom {
    let cloud = site.clone();
    Soracom::start(site.folder.path(), move |path| match path {
        BOOTSTRAP => {
            let (certificate, key) = cloud.registered(policy);
            json!({
                "region": "emulator-1", "certificate": certificate, "rootCaCertificate": "", "privateKey": key,
                "host": cloud.cloud.endpoint(), "clientId": format!("soracom-{IMSI}"),
            })
        }
        "/v1/provisioning/aws/cognito/credentials" => json!({
            "identityId": "emulator-1:1", "region": "emulator-1",
            "credentials": {"accessKeyId": "AKIA", "secretKey": "hidden", "sessionToken": "session", "expiration": 1_526_636_661_000_u64},
        }),
        _ => Value::Null,
    })
}

fn krypton(soracom: &Soracom, access: &str, folder: &Path) -> String {
    let url = soracom.url();
    let sim = match access {
        "sim" => format!("sim_command = ['{}']\n", folder.join("sim.sh").display()),
        _ => String::new(),
    };
    format!("[provision.krypton]\naccess = '{access}'\nurl = '{url}'\nca_file = 'soracom.pem'\n{sim}")
}

/// A policy with which a client may do everything.
fn site() -> Arc<Site> {
    let site = Site::new();
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
    site.cloud.registry().create_policy("all", all).unwrap();
    Arc::new(site)
}

#[test]
fn what_krypton_gives_is_the_claim_for_a_key_in_the_chip() {
    for access in ["cellular", "sim"] {
        let site = site();
        let soracom = soracom(&site, "claim");
        let tables = format!(
            "[provision]\ntemplate = 'fleet'\n[provision.parameters]\nSerialNumber = '{{serial}}'\n{}",
            krypton(&soracom, access, site.folder.path())
        );
        let config = site.config(&format!("device = '{}'", site.device()), &tables);
        let record = provisioned(&config).unwrap();
        assert_eq!(record.thing_name.as_deref(), Some(&*site.thing()));
        to_a_puback(&config);
        // Nothing of the claim is on the disk.
        for file in fs::read_dir(site.path("state")).unwrap() {
            let file = file.unwrap().path();
            let is_private = fs::read_to_string(&file).is_ok_and(|text| text.contains("PRIVATE KEY"));
            assert!(!is_private, "{}", file.display());
        }
        let paths: Vec<_> = soracom.requests().into_iter().map(|request| request.path).collect();
        match access {
            "sim" => assert_eq!(paths, ["/v1/keys", "/v1/keys", "/v1/keys/key-2/verify", BOOTSTRAP]),
            _ => assert_eq!(paths, [BOOTSTRAP]),
        }
    }
}

#[test]
fn a_signed_request_is_good_once_and_a_changed_one_never() {
    let site = site();
    let soracom = soracom(&site, "all");
    let tables =
        format!("[provision]\n{}parameters = {{ a = 'b' }}\n", krypton(&soracom, "sim", site.folder.path()));
    provisioned(&site.config("", &tables)).unwrap();
    let request = soracom.requests().pop().unwrap();
    assert_eq!(request.path, BOOTSTRAP);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({"keyId": "key-2", "requestParameters": {"a": "b"}}));
    assert_eq!(soracom.replay(&request, site.folder.path()), "401");
    let mut changed = request;
    changed.body = changed.body.replace("\"b\"", "\"c\"");
    assert_eq!(soracom.replay(&changed, site.folder.path()), "401");
}

#[test]
fn another_sim_is_refused_with_a_sentence() {
    let site = site();
    let soracom = soracom(&site, "all");
    let tables = format!("[provision]\n{}", krypton(&soracom, "sim", site.folder.path()));
    let config = site.config("", &tables);
    fs::write(site.path("sim.secret"), "another's").unwrap();
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(
        error.contains("/verify answers 401 (END0003 authentication failed)") && error.contains("Endorse"),
        "{error}"
    );
    let foreign = tables + "imsi = '440103000000000'\n";
    let error = provisioned(&site.config("", &foreign)).unwrap_err().to_string();
    assert!(error.contains("/v1/keys answers 404 (END0001 no such SIM)"), "{error}");
    assert!(!site.path("state/device.pem").exists());
}

#[test]
fn a_key_of_kryptons_is_used_and_replaced_by_the_next() {
    let site = site();
    let soracom = soracom(&site, "all");
    let tables =
        format!("[provision]\nrotate_days = 1\n{}", krypton(&soracom, "cellular", site.folder.path()));
    let config = site.config("", &tables);
    let first = provisioned(&config).unwrap();
    let file = site.path("state/device.pem");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(first.client_id.as_deref(), Some("soracom-440103123456789"));
    to_a_puback(&config);
    let old = fs::read_to_string(&file).unwrap();
    let second = block_on(provision(&config, None, true)).unwrap();
    assert_ne!(first.certificate_id, second.certificate_id);
    assert_eq!(id_of(&file).as_str(), second.certificate_id);
    assert_ne!(old.lines().nth(1), fs::read_to_string(&file).unwrap().lines().nth(1), "a new key");
    to_a_puback(&config);
    assert_eq!(site.cloud.registry().status(&id_of(&file)), Some(Status::Active));
}

#[test]
fn an_answer_that_leads_elsewhere_or_nowhere_is_not_followed() {
    let site = site();
    for (answer, says) in [
        (
            json!({"certificate": "", "privateKey": "", "host": "elsewhere.test"}),
            "write endpoint = \"elsewhere.test\"",
        ),
        (json!({"certificate": "x", "privateKey": "y"}), "no private key"),
        (json!({"certificate": "x"}), "missing field `privateKey`"),
        (json!([]), "cannot be used"),
    ] {
        let soracom = Soracom::start(site.folder.path(), move |_| answer.clone());
        let tables = format!("[provision]\n{}", krypton(&soracom, "cellular", site.folder.path()));
        let error = provisioned(&site.config("", &tables)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    // A server that another CA vouches for.
    let soracom = soracom(&site, "all");
    let tables = format!("[provision]\n{}", krypton(&soracom, "cellular", site.folder.path()));
    let config = site.config("", &tables.replace("soracom.pem", "ca.pem"));
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(error.starts_with("cannot reach https://localhost:"), "{error}");
    assert!(soracom.requests().is_empty());
}

#[test]
fn credentials_come_as_the_aws_command_line_wants_them() {
    let site = site();
    let soracom = soracom(&site, "all");
    let tables = format!("[provision]\n{}", krypton(&soracom, "sim", site.folder.path()));
    let config = site.config_file("", &tables);
    let mut command = super::process::agent("credentials", &config);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !said.contains("hidden"), "{said}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        printed,
        json!({
            "Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "hidden", "SessionToken": "session",
            "Expiration": "2018-05-18T09:44:21Z",
        })
    );
}
