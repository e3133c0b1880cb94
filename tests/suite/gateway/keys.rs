//! Wherever the private key is: each to a PUBACK.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use iot_core_emulator::{Event, Listener};

use super::softhsm::{MODULE, PIN, SoftHsm};
use super::{Cloud, LIMIT, agent};
use crate::support::{Chip, Running, module, run};

/// The agent with this key publishes once and is known as `common_name`. Returns what it logged.
#[track_caller]
fn to_a_puback(cloud: &Cloud, command: &mut Command, common_name: &str) -> String {
    let output = run(command.args(["--log", "debug", "--once"])).succeeded();
    assert!(output.stderr.contains("telemetry acknowledged (PUBACK)"), "{}", output.stderr);
    let is_told = |event: &Event| matches!(event, Event::Published { client_id, acknowledged: true, .. } if client_id == common_name);
    cloud.core.wait_for(LIMIT, is_told).unwrap();
    output.stderr
}

#[test]
fn a_key_in_the_projects_own_module() {
    let (cloud, chip) = (Cloud::new(), Chip::new());
    cloud.register(&chip.path("device.pem"));
    let key = format!("key = 'pkcs11:object=device;type=private?module-path={}'\n", module().display());
    for listener in [Listener::Mqtt, Listener::Alpn] {
        let mut command = agent(&cloud.config(listener, &key));
        command.env("ATECC_DEVICE", chip.device());
        to_a_puback(&cloud, chip.keep_cache_of(&mut command), &chip.common_name());
    }
}

#[test]
fn a_key_in_softhsm_with_its_certificate_there() {
    for kind in ["EC:prime256v1", "EC:secp384r1", "rsa:2048"] {
        let cloud = Cloud::new();
        let token = SoftHsm::new(cloud.folder.path(), kind, "gateway-7");
        cloud.register(&token.certificate());
        fs::write(cloud.path("pin"), format!("{PIN}\n")).unwrap();
        let source = cloud.path("pin").display().to_string();
        let key =
            format!("key = 'pkcs11:token=gateway;object=key?module-path={MODULE}&pin-source={source}'\n");
        let said =
            to_a_puback(&cloud, token.show_to(&mut agent(&cloud.config(Listener::Alpn, &key))), "gateway-7");
        assert!(said.contains("TLSv1_3") && !said.contains(PIN), "{said}");
    }
}

#[test]
fn a_key_in_softhsm_with_a_certificate_file_and_the_pin_in_the_uri() {
    let cloud = Cloud::new();
    let token = SoftHsm::new(cloud.folder.path(), "EC:prime256v1", "gateway-7");
    cloud.register(&token.certificate());
    let uri = format!("pkcs11:model=SoftHSM%20v2;id=%07?module-name=softhsm2&pin-value={PIN}");
    let lines = format!("key = '{uri}'\ncertificate_file = 'certificate.pem'\n");
    let said =
        to_a_puback(&cloud, token.show_to(&mut agent(&cloud.config(Listener::Mqtt, &lines))), "gateway-7");
    assert!(!said.contains(PIN), "{said}");
}

#[test]
fn a_key_in_a_pem_file_of_each_form() {
    let cloud = Cloud::new();
    for (form, generate) in [
        ("PRIVATE KEY", vec!["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("EC PRIVATE KEY", vec!["ecparam", "-genkey", "-noout", "-name", "prime256v1"]),
        ("EC PRIVATE KEY", vec!["ecparam", "-genkey", "-noout", "-name", "secp384r1"]),
        ("RSA PRIVATE KEY", vec!["genrsa", "-traditional", "2048"]),
    ] {
        let (key, certificate) = (cloud.path("key.pem"), cloud.path("device.pem"));
        run(Command::new("openssl").arg(generate[0]).arg("-out").arg(&key).args(&generate[1..])).succeeded();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&key).unwrap();
        assert!(text.starts_with(&format!("-----BEGIN {form}-----")), "{text:.40}");
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-new", "-x509", "-days", "2", "-subj", "/CN=gateway-7", "-key"]).arg(&key);
        run(openssl.arg("-out").arg(&certificate)).succeeded();
        cloud.register(&certificate);
        let lines = "key = 'key.pem'\ncertificate_file = 'device.pem'\n";
        let said = to_a_puback(&cloud, &mut agent(&cloud.config(Listener::Alpn, lines)), "gateway-7");
        assert!(!said.contains("others may read"), "{said}");
    }
    fs::set_permissions(cloud.path("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    let lines = "key = 'key.pem'\ncertificate_file = 'device.pem'\n";
    let said = to_a_puback(&cloud, &mut agent(&cloud.config(Listener::Alpn, lines)), "gateway-7");
    assert!(said.contains("others may read this private key") && said.contains("0640"), "{said}");
}

/// PKCS#11's spy, of Debian's opensc, writes down the calls.
#[test]
fn a_wrong_pin_is_offered_once_and_not_printed() {
    let cloud = Cloud::new();
    let token = SoftHsm::new(cloud.folder.path(), "EC:prime256v1", "gateway-7");
    let spy =
        fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path().join("pkcs11/pkcs11-spy.so"));
    let spy = spy.into_iter().find(|path| path.exists()).expect("pkcs11-spy.so, of Debian's opensc-pkcs11");
    let uri = format!("pkcs11:token=gateway?module-path={}&pin-value=2718281828", spy.display());
    let mut command = agent(&cloud.config(Listener::Alpn, &format!("key = '{uri}'\n")));
    command.args(["--log", "trace"]).env("PKCS11SPY", MODULE).env("PKCS11SPY_OUTPUT", cloud.path("calls"));
    let said = run(token.show_to(&mut command)).failed_with(2).stderr;
    assert!(said.contains("does not accept the PIN") && said.contains("pin-source"), "{said}");
    assert!(!said.contains("2718281828"), "{said}");
    let calls = fs::read_to_string(cloud.path("calls")).unwrap();
    assert_eq!(calls.matches("C_Login").count(), 1, "{calls}");
}

#[test]
fn what_is_wrong_with_a_key_is_said_in_one_sentence() {
    let cloud = Cloud::new();
    let token = SoftHsm::new(cloud.folder.path(), "EC:prime256v1", "gateway-7");
    let pin = format!("module-path={MODULE}&pin-value={PIN}");
    for (key, code, says) in [
        (format!("pkcs11:token=other?{pin}"), 1, "there are \"gateway\" in slot"),
        (format!("pkcs11:token=gateway;object=other?{pin}"), 1, "it fits none; there are object=key id=%07"),
        (format!("pkcs11:token=gateway?module-path={MODULE}"), 2, "pin-source"),
        ("pkcs11:token=a?module-path=/does/not/exist.so".to_owned(), 2, "/does/not/exist.so"),
        ("key.pem".to_owned(), 2, "key.pem"),
        ("i2c:/dev/i2c-97".to_owned(), 1, "/dev/i2c-97"),
    ] {
        let mut command = agent(&cloud.config(Listener::Alpn, &format!("key = '{key}'\n")));
        let said = run(token.show_to(&mut command)).failed_with(code).stderr;
        let last = said.lines().last().unwrap_or_default();
        assert!(last.contains(says) && !said.contains(PIN), "{key}: {said}");
    }
}

/// The chip is on a bus in another process, which ends and comes back; the agent goes on.
#[test]
fn a_chip_that_was_pulled_and_put_back_is_found_without_a_restart() {
    let chip = Chip::new();
    let own = format!("pkcs11:object=device?module-path={}", module().display());
    for key in [None, Some(own)] {
        let cloud = Cloud::new();
        cloud.register(&chip.path("device.pem"));
        let bus = chip.serve();
        let key = key.unwrap_or_else(|| bus.device());
        let lines = format!("key = '{key}'\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = 1\n");
        let mut command = agent(&cloud.config(Listener::Mqtt, &lines));
        command.env("ATECC_DEVICE", bus.device());
        let mut running = Running::start(chip.keep_cache_of(&mut command));
        let mut events = cloud.core.events();
        let is_connected = |event: &Event| matches!(event, Event::Connected { .. });
        events.wait_for(LIMIT, is_connected).unwrap();
        drop(bus);
        assert_eq!(cloud.core.disconnect_all(), 1);
        // Without its chip it reaches the server, and cannot sign.
        let is_refused = |event: &Event| matches!(event, Event::Refused { .. });
        events.wait_for(LIMIT, is_refused).unwrap();
        let _bus = chip.serve();
        events.wait_for(LIMIT, is_connected).unwrap();
        let said = running.kill();
        assert!(said.contains("no signature: "), "{said}");
    }
}
