//! Gateways whose key is in a token of PKCS#11 get their certificate by themselves: the token signs the request.

use std::fs;
use std::process::Command;

use iot_core_emulator::{Event, Listener, Status};
use serde_json::json;

use super::softhsm::{MODULE, PIN, SoftHsm};
use super::{Cloud, LIMIT, agent, der};
use crate::support::{Chip, module, run};

/// Lets whoever has claim.pem become a thing of its choice.
fn with_template(cloud: &Cloud) {
    let template = json!({
        "Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}, "Name": {"Type": "String"}},
        "Resources": {
            "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "Name"}}},
            "certificate": {"Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "ACTIVE"}},
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "all"}},
        },
    });
    cloud.core.registry().create_provisioning_template("fleet", &template.to_string()).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-subj", "/CN=claim"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout"]).arg(cloud.path("claim.pem"));
    run(openssl.arg("-out").arg(cloud.path("claim.crt"))).succeeded();
    cloud.register(&cloud.path("claim.crt"));
}

fn lines(key: &str) -> String {
    format!(
        "key = '{key}'\n[outbox]\nfolder = 'state'\n[provision]\ntemplate = 'fleet'\nclaim_key = 'claim.pem'\n\
         claim_certificate = 'claim.crt'\n[provision.parameters]\nName = 'new-{{common_name}}'\n"
    )
}

/// The agent provisions itself and publishes as `thing`, with a certificate that is not the old one.
#[track_caller]
fn becomes(cloud: &Cloud, command: &mut Command, thing: &str) {
    let output = run(command.arg("--once")).succeeded();
    assert!(output.stderr.contains("provisioned"), "{}", output.stderr);
    let is_told = |event: &Event| matches!(event, Event::Published { client_id, acknowledged: true, topic, .. } if client_id == thing && topic.ends_with("/telemetry"));
    cloud.core.wait_for(LIMIT, is_told).unwrap();
    let id = iot_core_emulator::CertificateId::of(&der(&cloud.path("state/certificate.pem")));
    assert_eq!(cloud.core.registry().status(&id), Some(Status::Active));
}

#[test]
fn a_key_in_softhsm_signs_its_request() {
    let cloud = Cloud::new();
    with_template(&cloud);
    let token = SoftHsm::new(cloud.folder.path(), "EC:prime256v1", "gateway-7");
    fs::write(cloud.path("pin"), format!("{PIN}\n")).unwrap();
    let source = cloud.path("pin").display().to_string();
    let key = format!("pkcs11:token=gateway;object=key?module-path={MODULE}&pin-source={source}");
    let config = cloud.config(Listener::Alpn, &lines(&key));
    becomes(&cloud, token.show_to(&mut agent(&config)), "new-gateway-7");
}

#[test]
fn a_chip_behind_the_projects_own_module_signs_its_request() {
    let (cloud, chip) = (Cloud::new(), Chip::new());
    with_template(&cloud);
    let key = format!("pkcs11:object=device;type=private?module-path={}", module().display());
    let mut command = agent(&cloud.config(Listener::Mqtt, &lines(&key)));
    command.env("ATECC_DEVICE", chip.device());
    becomes(&cloud, chip.keep_cache_of(&mut command), &format!("new-{}", chip.common_name()));
}
