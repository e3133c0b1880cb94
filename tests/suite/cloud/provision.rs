//! Gateways that provision themselves at ministack: by claim and by trusted user, with a key that the server makes, since
//! ministack signs no requests over MQTT.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::ministack::{Ministack, Policies};
use crate::support::{program, run, unhex};

/// A gateway may be its thing and nobody else.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"],
     "Resource": "arn:aws:iot:*:*:topic/${iot:Connection.Thing.ThingName}/*"}
]}"#;

/// That of the developer guide ("Provisioning by claim").
const CLAIM_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
        "arn:aws:iot:*:*:topic/$aws/certificates/create/*",
        "arn:aws:iot:*:*:topic/$aws/provisioning-templates/fleet/provision/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
        "arn:aws:iot:*:*:topicfilter/$aws/certificates/create/*",
        "arn:aws:iot:*:*:topicfilter/$aws/provisioning-templates/fleet/provision/*"]}
]}"#;

/// An account with a template, its role, and policies that count.
fn account() -> Ministack {
    let ministack = Ministack::start(Policies::Enforced);
    let trust = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let all = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}});
    iam(&ministack, &format!("Action=CreateRole&RoleName=fleet&AssumeRolePolicyDocument={trust}"));
    iam(&ministack, &format!("Action=PutRolePolicy&RoleName=fleet&PolicyName=all&PolicyDocument={all}"));
    for (name, document) in [("gateway", POLICY), ("claim", CLAIM_POLICY)] {
        ministack.call("POST", &format!("/policies/{name}"), Some(&json!({ "policyDocument": document })));
    }
    let template = json!({
        "Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}, "SerialNumber": {"Type": "String"}},
        "Resources": {
            "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
            "certificate": {"Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "gateway"}},
        },
        "DeviceConfiguration": {"Site": "north"},
    });
    let body = json!({
        "templateName": "fleet", "templateBody": template.to_string(), "enabled": true,
        "provisioningRoleArn": "arn:aws:iam::000000000000:role/fleet",
    });
    ministack.call("POST", "/provisioning-templates", Some(&body));
    ministack
}

/// A call of IAM, whose requests are forms.
#[track_caller]
fn iam(ministack: &Ministack, form: &str) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "55", "--user", "test:test"]);
    curl.args(["--aws-sigv4", "aws:amz:us-east-1:iam"]);
    for field in form.split('&') {
        let (name, value) = field.split_once('=').unwrap();
        curl.args(["--data-urlencode", &format!("{name}={value}")]);
    }
    curl.args(["--data-urlencode", "Version=2010-05-08"]).arg(ministack.url());
    run(&mut ministack.inside(&curl)).succeeded();
}

/// A gateway with a folder for its files.
struct Gateway<'a> {
    ministack: &'a Ministack,
    folder: TempDir,
}

impl<'a> Gateway<'a> {
    fn new(ministack: &'a Ministack, name: &str, claim: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = ministack.call("GET", "/endpoint?endpointType=iot:Data-ATS", None);
        let endpoint = endpoint["endpointAddress"].as_str().unwrap().split(':').next().unwrap().to_owned();
        let text = format!(
            "endpoint = '{endpoint}'\naddress = '{}'\nca_file = '{}'\n[shadow]\nenabled = false\n[outbox]\nfolder = 'state'\n\
             [provision]\ntemplate = 'fleet'\nkey = 'issued'\n{claim}\n[provision.parameters]\nSerialNumber = '{name}'\n",
            ministack.mqtt_address(),
            ministack.authority().display(),
        );
        fs::write(folder.path().join("agent.toml"), text).unwrap();
        Self { ministack, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("atecc-agent"));
        command.args(arguments).arg("--config").arg(self.path("agent.toml"));
        self.ministack.inside(command.env_remove("ATECC_LOG"))
    }

    /// Provisions, and publishes as what it has become.
    #[track_caller]
    fn comes_to_a_puback(&self, name: &str) {
        let told = run(&mut self.agent(&["provision"])).succeeded();
        let file = self.path("state/device.pem");
        let mut openssl = Command::new("openssl");
        let der = run(openssl.args(["x509", "-outform", "der", "-in"]).arg(&file)).succeeded().stdout;
        let id = String::from_utf8(told.stdout).unwrap().trim_end().rsplit(' ').next().unwrap().to_owned();
        assert_eq!(unhex(&id), Sha256::digest(der).to_vec());
        assert!(told.stderr.contains("crossed the wire"), "{}", told.stderr);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let certificate = self.ministack.call("GET", &format!("/certificates/{id}"), None);
        assert_eq!(certificate["certificateDescription"]["status"], "ACTIVE");
        let principals = self.ministack.call("GET", &format!("/things/{name}/principals"), None);
        assert!(principals["principals"][0].as_str().unwrap().ends_with(&id), "{principals}");
        let said = run(&mut self.agent(&["run", "--once"])).succeeded().stderr;
        assert!(said.contains("telemetry acknowledged (PUBACK)") && said.contains(name), "{said}");
        let configuration = fs::read(self.path("state/device-configuration.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&configuration).unwrap(), json!({"Site": "north"}));
    }
}

#[test]
fn a_shared_claim_and_a_trusted_users_each_lead_to_a_puback() {
    let ministack = account();

    let keys = ministack.call("POST", "/keys-and-certificate?setAsActive=true", None);
    let target = json!({ "target": keys["certificateArn"] });
    ministack.call("PUT", "/target-policies/claim", Some(&target));
    let shared = Gateway::new(&ministack, "gateway-1", "claim_key = 'claim.pem'");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let claim = text(&keys["keyPair"]["PrivateKey"]) + &text(&keys["certificatePem"]);
    fs::write(shared.path("claim.pem"), claim).unwrap();
    shared.comes_to_a_puback("gateway-1");

    let trusted = Gateway::new(&ministack, "gateway-2", "claim_file = 'claim.json'");
    let said = run(&mut trusted.agent(&["provision"])).failed_with(1).stderr;
    assert!(said.contains("create-provisioning-claim --template-name fleet"), "{said}");
    let claim = ministack.call("POST", "/provisioning-templates/fleet/provisioning-claim", None);
    fs::write(trusted.path("claim.json"), claim.to_string()).unwrap();
    trusted.comes_to_a_puback("gateway-2");

    // The template wants a parameter that this one does not send.
    let wrong = Gateway::new(&ministack, "gateway-3", "claim_key = 'claim.pem'");
    fs::copy(shared.path("claim.pem"), wrong.path("claim.pem")).unwrap();
    let text = fs::read_to_string(wrong.path("agent.toml")).unwrap().replace("SerialNumber", "Serial");
    fs::write(wrong.path("agent.toml"), text).unwrap();
    let said = run(&mut wrong.agent(&["provision"])).failed_with(1).stderr;
    assert!(said.contains("RegisterThing was rejected (400 InvalidParameters: "), "{said}");
    assert!(said.contains("[provision.parameters]"), "{said}");
}
