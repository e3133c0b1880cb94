//! The program: it provisions itself at the first start, whatever happens to it meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use iot_core_emulator::Event;

use super::site::{Site, id_of, with_claim};
use crate::LIMIT;

pub(crate) fn agent(verb: &str, config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atecc-agent"));
    command.args([verb, "--config"]).arg(config);
    for variable in
        ["ATECC_DEVICE", "ATECC_LOG", "ATECC_CONFIG", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(variable);
    }
    // What is known of a chip is kept where nobody else looks.
    command.env("HOME", config.parent().unwrap()).env_remove("XDG_CACHE_HOME");
    command
}

/// Waits until the gateway's message was acknowledged.
#[track_caller]
fn wait_for_puback(site: &Site) {
    let is_told = |event: &Event| matches!(event, Event::Published { topic, acknowledged: true, .. } if topic.ends_with("/telemetry"));
    site.cloud.events().wait_for(LIMIT, is_told).unwrap();
}

#[test]
fn the_first_start_provisions_and_the_second_does_not() {
    let site = Site::new();
    let config = site.config_file(&format!("device = '{}'", site.device()), &with_claim("format = 'cbor'"));
    for _ in 0..2 {
        let mut running = agent("run", &config).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_puback(&site);
        running.kill().unwrap();
        running.wait().unwrap();
        assert_eq!(site.created(), 1);
    }
    let output = agent("provision", &config).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let id = id_of(&site.path("state/certificate.pem"));
    assert_eq!(said, format!("provisioned as {}, certificate {}\n", site.thing(), id.as_str()));
    assert_eq!(site.created(), 1);
}

#[test]
fn a_gateway_that_may_not_yet_keeps_asking() {
    let site = Site::new();
    let config = site.config_file(&format!("device = '{}'", site.device()), &with_claim(""));
    site.cloud.registry().set_pre_provisioning_hook("fleet", |_| false).unwrap();
    let mut running = agent("run", &config).stderr(Stdio::piped()).spawn().unwrap();
    let mut events = site.cloud.events();
    for _ in 0..2 {
        let is_rejected = |event: &Event| matches!(event, Event::ProvisioningRejected { .. });
        events.wait_for(LIMIT, is_rejected).unwrap();
    }
    site.cloud.registry().set_pre_provisioning_hook("fleet", |_| true).unwrap();
    wait_for_puback(&site);
    running.kill().unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("not provisioned: RegisterThing was rejected (403"), "{said}");
    // One try, for whoever asks for it.
    let (site, listed) = (Site::new(), false);
    site.cloud.registry().set_pre_provisioning_hook("fleet", move |_| listed).unwrap();
    let config = site.config_file(&format!("device = '{}'", site.device()), &with_claim(""));
    let output = agent("provision", &config).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_new_key_is_made_in_the_chip_where_the_administrator_allows_it() {
    let site = Site::new();
    let lines = format!("device = '{}'\nslot = 2", site.device());
    let config = site.config_file(&lines, &with_claim("new_key = true"));
    let rules = site.path("atecc.toml");
    fs::write(&rules, "[[slot]]\nnumber = 2\n").unwrap();
    let provision = || agent("provision", &config).env("ATECC_CONFIG", &rules).output().unwrap();
    let refused = provision();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() != Some(0) && said.contains("overwrite"), "{said}");
    fs::write(&rules, "[[slot]]\nnumber = 2\noverwrite = true\n").unwrap();
    let done = provision();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let output = agent("run", &config).arg("--once").env("ATECC_CONFIG", &rules).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Not the chip's own certificate, and not its key.
    let own = atecc_token::Token::open(&site.device().parse().unwrap()).unwrap();
    let key = own.public_key(atecc::Slot::new(2).unwrap()).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-text", "-in"]).arg(site.path("state/certificate.pem"));
    let text = String::from_utf8(openssl.output().unwrap().stdout).unwrap().replace([':', ' ', '\n'], "");
    let hex: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(text.contains(&hex), "{text}");
}

/// Killed at any moment, as by a loss of power: the next start goes on, and there is one thing in the end.
#[test]
fn a_gateway_that_is_killed_again_and_again_gets_there() {
    let site = Site::new();
    let config = site.config_file(&format!("device = '{}'", site.device()), &with_claim(""));
    let mut killed = 0;
    for round in 0..9_u64 {
        let mut events = site.cloud.events();
        events.by_ref().for_each(drop);
        let mut running =
            agent("provision", &config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Not by the clock alone, which is another on each machine: a bit later than what the cloud sees.
        let seen = |event: &Event| match round % 3 {
            0 => matches!(event, Event::Subscribed { .. }),
            1 => matches!(event, Event::CertificateCreated { .. }),
            _ => matches!(event, Event::Provisioned { .. }),
        };
        let _ = events.wait_for(Duration::from_millis(300 + 50 * round), seen);
        thread::sleep(Duration::from_millis(round / 3));
        if running.try_wait().unwrap().is_none() {
            running.kill().unwrap();
            killed += 1;
        }
        running.wait().unwrap();
        if round == 5 {
            // Nothing of what is half there must be in the way.
            let _ = fs::remove_file(site.path("state/certificate.pem"));
        }
    }
    assert!(killed > 0, "no process lived long enough to be killed");
    let output = agent("provision", &config).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!site.path("state/provision.json").exists());
    let output = agent("run", &config).arg("--once").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(site.cloud.registry().thing(&site.thing()).is_some());
}

#[test]
fn a_key_that_is_due_is_replaced_and_the_old_one_serves_where_that_fails() {
    let site = Site::new();
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
    site.cloud.registry().create_policy("all", all).unwrap();
    let site = std::sync::Arc::new(site);
    let cloud = site.clone();
    let soracom = super::stub::Soracom::start(site.folder.path(), move |_| {
        let (certificate, key) = cloud.registered("all");
        serde_json::json!({"certificate": certificate, "privateKey": key, "clientId": "soracom-1"})
    });
    let tables = |url: &str| {
        format!(
            "[provision]\nrotate_days = 1\n[provision.krypton]\naccess = 'cellular'\nurl = '{url}'\nca_file = 'soracom.pem'\n"
        )
    };
    let config = site.config_file("", &tables(&soracom.url()));
    let once = || agent("run", &config).arg("--once").output().unwrap();
    let run = |limit: usize| {
        let mut running = agent("run", &config).stderr(Stdio::piped()).spawn().unwrap();
        let is_connected = |event: &Event| matches!(event, Event::Connected { .. });
        let mut events = site.cloud.events();
        (0..limit).for_each(|_| drop(events.wait_for(LIMIT, is_connected).unwrap()));
        running.kill().unwrap();
        String::from_utf8(running.wait_with_output().unwrap().stderr).unwrap()
    };
    assert!(once().status.success());
    let first = id_of(&site.path("state/device.pem"));
    let record = site.path("state/provisioned.json");
    let since = |since: u64| {
        let text = fs::read_to_string(&record).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["since"] = since.into();
        fs::write(&record, document.to_string()).unwrap();
    };
    run(2);
    assert_eq!(id_of(&site.path("state/device.pem")), first, "not due yet");
    since(1_000);
    run(3);
    let second = id_of(&site.path("state/device.pem"));
    assert_ne!(second, first);
    // In three seconds a day will have gone by: the running agent comes back with another key.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since(now.as_secs() - 86_400 + 3);
    run(5);
    let third = id_of(&site.path("state/device.pem"));
    assert_ne!(third, second);
    since(1_000);
    site.config_file("", &tables("https://localhost:1"));
    let said = run(6);
    assert!(said.contains("the certificate of before is used"), "{said}");
    assert_eq!(id_of(&site.path("state/device.pem")), third);
}
