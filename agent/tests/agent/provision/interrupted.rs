//! Gateways that lose their power, their connection or their time in the middle.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use atecc_agent::provision::provision;
use iot_core_emulator::{Event, Status};

use super::site::{CLAIM_POLICY, Site, block_on, id_of, mode, provisioned, to_a_puback, with_claim};
use crate::LIMIT;

/// Begins, and is gone when the template's hook is asked; that answers with `allowed`.
fn lost_at_the_hook(site: &Site, config: &atecc_agent::config::Config, allowed: bool) {
    let (asked, hears) = mpsc::channel();
    let hook = move |_: &_| {
        asked.send(()).unwrap();
        allowed
    };
    site.cloud.registry().set_pre_provisioning_hook("fleet", hook).unwrap();
    block_on(async {
        let gone = tokio::task::spawn_blocking(move || hears.recv_timeout(LIMIT).unwrap());
        tokio::select! {
            biased;
            gone = gone => gone.unwrap(),
            _ = provision(config, None, false) => {}
        }
    });
    site.cloud.registry().set_pre_provisioning_hook("fleet", |_| true).unwrap();
}

#[test]
fn a_lost_answer_to_register_thing_strands_nobody() {
    let site = Site::new();
    // The thing is called as the certificate, so that the name follows from what is there.
    let tables = with_claim("").replace("{serial}", "{common_name}");
    let template = super::site::TEMPLATE.replace(
        r#"{"Fn::Join": ["-", ["gateway", {"Ref": "SerialNumber"}]]}"#,
        r#"{"Ref": "SerialNumber"}"#,
    );
    site.cloud.registry().create_provisioning_template("plain", &template).unwrap();
    let policy = CLAIM_POLICY.replace("/fleet/", "/plain/");
    site.cloud.registry().create_policy("plain", &policy).unwrap();
    site.cloud.registry().attach_policy("plain", &id_of(&site.path("claim.pem"))).unwrap();
    let (asked, hears) = mpsc::channel();
    site.cloud.registry().set_pre_provisioning_hook("plain", move |_: &_| asked.send(()).is_ok()).unwrap();
    let config = site.config(&format!("device = '{}'", site.device()), &tables.replace("'fleet'", "'plain'"));
    block_on(async {
        let gone = tokio::task::spawn_blocking(move || hears.recv_timeout(LIMIT).unwrap());
        tokio::select! { biased; gone = gone => gone.unwrap(), _ = provision(&config, None, false) => {} }
    });
    let is_provisioned = |event: &Event| matches!(event, Event::Provisioned { .. });
    site.cloud.wait_for(LIMIT, is_provisioned).unwrap();
    // Whether the answer was written down is a matter of microseconds; the certificate is the same either way.
    let record = provisioned(&config).unwrap();
    assert_eq!(site.status(&record), Some(Status::Active));
    assert_eq!(site.created(), 1);
    to_a_puback(&config);
}

#[test]
fn a_certificate_that_waits_is_used_by_the_next_try() {
    let site = Site::new();
    let config = site.by_claim("");
    lost_at_the_hook(&site, &config, false);
    assert_eq!(mode(&site.path("state/provision.json")), 0o600);
    let record = provisioned(&config).unwrap();
    assert_eq!((site.created(), site.status(&record)), (1, Some(Status::Active)));
    to_a_puback(&config);
}

#[test]
fn a_token_that_expired_costs_a_new_certificate_and_nothing_else() {
    let site = Site::new();
    let config = site.by_claim("");
    lost_at_the_hook(&site, &config, false);
    site.cloud.advance_clock(Duration::from_secs(3601));
    let record = provisioned(&config).unwrap();
    assert_eq!((site.created(), site.status(&record)), (2, Some(Status::Active)));
    to_a_puback(&config);
}

#[test]
fn what_was_begun_with_another_key_is_begun_anew() {
    let (site, other) = (Site::new(), Site::new());
    lost_at_the_hook(&site, &site.by_claim(""), false);
    fs::copy(other.path("chip.eeprom"), site.path("chip.eeprom")).unwrap();
    let record = provisioned(&site.by_claim("")).unwrap();
    assert_eq!((site.created(), site.status(&record)), (2, Some(Status::Active)));
    assert_eq!(record.thing_name, Some(other.thing()));
}

#[test]
fn a_journal_that_cannot_be_read_is_no_obstacle() {
    let site = Site::new();
    fs::create_dir(site.path("state")).unwrap();
    for garbage in ["", "{", r#"{"step":"created"}"#, r#"{"step":"dance"}"#, "\u{0}\u{0}"] {
        fs::write(site.path("state/provision.json"), garbage).unwrap();
        let config = site.by_claim("");
        provisioned(&config).unwrap();
        fs::remove_file(site.path("state/certificate.pem")).unwrap();
    }
}

#[test]
fn a_connection_that_does_not_come_or_is_cut_is_told_and_the_next_try_goes_on() {
    let site = Site::new();
    let deaf = CLAIM_POLICY.replace(r#""iot:Publish", "iot:Receive""#, r#""iot:Publish""#);
    site.cloud.registry().create_policy("deaf", &deaf).unwrap();
    let (certificate, key) = site.registered("deaf");
    fs::write(site.path("claim.pem"), certificate).unwrap();
    fs::write(site.path("claim.key"), key).unwrap();
    let config = site.by_claim("");
    site.cloud.stop_listening().unwrap();
    let error = provisioned(&config).unwrap_err().to_string();
    assert!(error.starts_with("cannot connect with the claim: cannot connect to "), "{error}");
    site.cloud.resume_listening().unwrap();
    let again = config.clone();
    let waiting = std::thread::spawn(move || provisioned(&again).unwrap_err().to_string());
    let is_created = |event: &Event| matches!(event, Event::CertificateCreated { .. });
    site.cloud.wait_for(LIMIT, is_created).unwrap();
    assert_eq!(site.cloud.disconnect_all(), 1);
    let error = waiting.join().unwrap();
    assert!(
        error.starts_with("the connection ended before the answer to CreateCertificateFromCsr: "),
        "{error}"
    );
    site.cloud.registry().attach_policy("claim", &id_of(&site.path("claim.pem"))).unwrap();
    provisioned(&config).unwrap();
    to_a_puback(&config);
}
