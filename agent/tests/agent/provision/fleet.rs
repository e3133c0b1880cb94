//! Fleet provisioning by claim and by trusted user, against the emulator of IoT Core.

use std::fs;
use std::time::Duration;

use iot_core_emulator::{Event, Status};
use serde_json::{Value, json};

use super::site::{CLAIM_POLICY, Site, id_of, mode, provisioned, to_a_puback, with_claim};

#[test]
fn a_chip_signs_a_request_and_becomes_a_thing_in_json_and_cbor() {
    for format in ["json", "cbor"] {
        let site = Site::new();
        let config = site.by_claim(&format!("format = '{format}'"));
        let record = provisioned(&config).unwrap();
        assert_eq!(record.thing_name.as_deref(), Some(&*site.thing()));
        assert_eq!(site.status(&record), Some(Status::Active));
        let certificate = site.path("state/certificate.pem");
        assert_eq!(mode(&certificate), 0o644);
        assert_eq!(id_of(&certificate).as_str(), record.certificate_id);
        let configuration = fs::read(site.path("state/device-configuration.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&configuration).unwrap(), json!({ "Site": "north" }));
        assert!(!site.path("state/provision.json").exists(), "the token is not kept");
        // Under the name that the template gave, which is not that of the certificate.
        to_a_puback(&config);
        // Once is enough.
        assert_eq!(provisioned(&config).unwrap(), record);
        assert_eq!(site.created(), 1);
    }
}

#[test]
fn a_key_that_the_server_makes_goes_into_one_file_with_its_certificate() {
    for format in ["json", "cbor"] {
        let site = Site::new();
        let more = format!("key = 'issued'\nformat = '{format}'\n");
        let tables = with_claim(&more).replace("{serial}", "0042");
        let config = site.config("", &tables);
        let record = provisioned(&config).unwrap();
        assert_eq!(record.thing_name.as_deref(), Some("gateway-0042"));
        let file = site.path("state/device.pem");
        assert_eq!(mode(&file), 0o600);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("PRIVATE KEY-----") && text.contains("BEGIN CERTIFICATE-----"));
        to_a_puback(&config);
    }
}

#[test]
fn nobodys_key_is_overwritten() {
    let site = Site::new();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    fs::write(site.path("mine.pem"), &key).unwrap();
    let config = site.config("key = 'mine.pem'", &with_claim("key = 'issued'").replace("{serial}", "1"));
    let again = super::site::block_on(atecc_agent::provision::provision(&config, None, true));
    let error = again.unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains("mine.pem"), "{error}");
    assert_eq!(fs::read_to_string(site.path("mine.pem")).unwrap(), key);
}

#[test]
fn what_a_trusted_user_made_is_good_for_five_minutes() {
    let site = Site::new();
    let tables = "[provision]\ntemplate = 'fleet'\nclaim_file = 'claim.json'\n[provision.parameters]\nSerialNumber = '{serial}'\n";
    let config = site.config(&format!("device = '{}'", site.device()), tables);
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(
        error.contains("claim.json") && error.contains("create-provisioning-claim --template-name fleet"),
        "{error}"
    );
    fs::write(site.path("claim.json"), "{}").unwrap();
    let error = provisioned(&config).unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains("certificatePem"), "{error}");
    // As `aws iot create-provisioning-claim` prints it.
    let make = || {
        let claim = site.cloud.registry().create_provisioning_claim("fleet").unwrap();
        let printed = json!({
            "certificateId": claim.certificate_id.as_str(), "certificatePem": claim.certificate_pem,
            "keyPair": {"PublicKey": "", "PrivateKey": claim.private_key_pem}, "expiration": "2026-01-01T00:00:00Z",
        });
        fs::write(site.path("claim.json"), printed.to_string()).unwrap();
    };
    make();
    site.cloud.advance_clock(Duration::from_secs(301));
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot connect with the claim: ") && error.contains("five minutes"),
        "{error}"
    );
    make();
    assert_eq!(provisioned(&config).unwrap().thing_name.as_deref(), Some(&*site.thing()));
    to_a_puback(&config);
}

#[test]
fn what_the_cloud_rejects_is_said_with_what_to_do() {
    let site = Site::new();
    let device = format!("device = '{}'", site.device());
    let wrong_template = with_claim("").replace("'fleet'", "'fleed'");
    let error = provisioned(&site.config(&device, &wrong_template)).unwrap_err().to_string();
    // The claim's policy names the template, so the connection is cut or the subscription refused.
    assert!(error.contains("fleed") || error.contains("policy"), "{error}");
    site.cloud
        .registry()
        .create_policy("all", &CLAIM_POLICY.replace("provisioning-templates/fleet", "*"))
        .unwrap();
    let claim = id_of(&site.path("claim.pem"));
    site.cloud.registry().attach_policy("all", &claim).unwrap();
    let error = provisioned(&site.config(&device, &wrong_template)).unwrap_err().to_string();
    assert!(error.starts_with("RegisterThing was rejected (400 InvalidTemplate: "), "{error}");
    assert!(error.contains("check `template`"), "{error}");
    let without = with_claim("").replace("SerialNumber", "Serial");
    let error = provisioned(&site.config(&device, &without)).unwrap_err().to_string();
    assert!(
        error.starts_with("RegisterThing was rejected (400 ") && error.contains("[provision.parameters]"),
        "{error}"
    );
    let unknown = with_claim("").replace("{serial}", "{thing_name}");
    let error = provisioned(&site.config(&device, &unknown)).unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains("{common_name} and {serial}"), "{error}");
    // One certificate served all these tries.
    assert_eq!(site.created(), 1);
    assert!(!site.path("state/certificate.pem").exists());
    provisioned(&site.by_claim("")).unwrap();
    assert_eq!(site.created(), 1);
}

#[test]
fn a_hook_that_denies_is_told_and_may_change_its_mind() {
    let site = Site::new();
    let listed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_listed = listed.clone();
    let serial = site.serial.clone();
    let hook = move |parameters: &std::collections::BTreeMap<String, String>| {
        is_listed.load(std::sync::atomic::Ordering::SeqCst) && parameters.get("SerialNumber") == Some(&serial)
    };
    site.cloud.registry().set_pre_provisioning_hook("fleet", hook).unwrap();
    let config = site.by_claim("format = 'cbor'");
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(
        error.starts_with("RegisterThing was rejected (403 AccessDenied: ") && error.contains("hook"),
        "{error}"
    );
    listed.store(true, std::sync::atomic::Ordering::SeqCst);
    provisioned(&config).unwrap();
    assert_eq!(site.created(), 1, "the certificate of the first try was good still");
    to_a_puback(&config);
}

#[test]
fn silence_ends_and_names_the_policy() {
    let site = Site::new();
    let deaf = CLAIM_POLICY.replace(r#""iot:Publish", "iot:Receive""#, r#""iot:Publish""#);
    site.cloud.registry().create_policy("deaf", &deaf).unwrap();
    let (certificate, key) = site.registered("deaf");
    fs::write(site.path("claim.pem"), certificate).unwrap();
    fs::write(site.path("claim.key"), key).unwrap();
    let error = provisioned(&site.by_claim("")).unwrap_err().to_string();
    assert!(error.starts_with("no answer to CreateCertificateFromCsr within 20s"), "{error}");
    assert!(error.contains("iot:Receive"), "{error}");
    let seen = site.cloud.events().any(|event| matches!(event, Event::CertificateCreated { .. }));
    assert!(seen, "the request had arrived");
}
