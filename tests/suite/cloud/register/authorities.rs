//! `atecc ca register`: devices that come in by themselves, and an allow-list in front of them.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{agent, atecc, json as report, outcomes, to_a_puback};
use crate::{
    cloud::ministack::{Ministack, Policies},
    support::{Chip, Running, repository, run, target_directory},
};

/// The consumer of just-in-time registration that docs/registration.md shows, with one event.
fn admit(chip: &Chip, ministack: &Ministack, event: &Value) -> String {
    let mut python = Command::new(target_directory().join("cloud/bin/python"));
    python
        .arg("-c")
        .arg("import json, os, admit; print(admit.handler(json.loads(os.environ['EVENT']), None))");
    python.env("PYTHONPATH", repository().join("docs/samples")).env("EVENT", event.to_string());
    python.env("ALLOWED", chip.path("allowed")).env("POLICY", "atecc-device");
    // boto3 knows the region by another name than other tools.
    python.env("AWS_ENDPOINT_URL", ministack.url()).env("AWS_DEFAULT_REGION", "us-east-1");
    run(&mut ministack.inside(&python)).succeeded().text().trim().to_owned()
}

#[test]
fn the_chips_own_signer_lets_devices_in_and_an_allow_list_decides_which() {
    let (first, second) = (Chip::new(), Chip::new());
    let ministack = Ministack::start(Policies::Enforced);
    let authority =
        report(&mut atecc(&first, &ministack, &["ca", "register", "--from-chip", "--auto-registration"]));
    assert_eq!(outcomes(&authority), ["made"]);
    let id = authority["certificate_id"].as_str().unwrap();
    let there = ministack.call("GET", &format!("/cacertificate/{id}"), None);
    let there = &there["certificateDescription"];
    assert_eq!(
        (&there["certificateMode"], &there["autoRegistrationStatus"]),
        (&"SNI_ONLY".into(), &"ENABLE".into())
    );
    assert_eq!(there["status"], "ACTIVE");

    // Emulated chips have different signers, each made up.
    report(&mut atecc(&second, &ministack, &["ca", "register", "--from-chip", "--auto-registration"]));

    make_listener(&first, &ministack);
    let listener = listen(&first, &ministack, id);
    // A policy for those who are let in, and configurations for both, of which only one is on the list.
    let policy = json!({ "policyDocument": policy_of_things().to_string() });
    ministack.call("POST", "/policies/atecc-device", Some(&policy));
    for chip in [&first, &second] {
        configure(chip, &ministack);
        // It is registered, waits, and the connection is dropped.
        agent(&ministack, &chip.path("agent")).failed_with(1);
    }
    let listed = ministack.call("GET", "/certificates", None);
    let waiting = listed["certificates"].as_array().unwrap().iter();
    let waiting: Vec<&Value> = waiting.filter(|each| each["status"] == "PENDING_ACTIVATION").collect();
    assert_eq!(waiting.len(), 2, "{listed}");

    // The event tells of the first one, whose signer is listened for.
    listener.finish(Duration::from_secs(60)).succeeded();
    let heard = heard(&first);
    let event = heard.lines().find(|line| line.starts_with('{')).unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    let own = dry(&first, &ministack)["certificate_id"].as_str().unwrap().to_owned();
    assert_eq!((&event["certificateId"], &event["caCertificateId"]), (&own.as_str().into(), &id.into()));
    fs::write(first.path("allowed"), format!("{own} {}\n", first.common_name())).unwrap();
    for certificate in waiting {
        let certificate = certificate["certificateId"].as_str().unwrap();
        let event = if certificate == own { event.clone() } else { json!({ "certificateId": certificate }) };
        let expected = if certificate == own { "admitted" } else { "refused" };
        // AWS may deliver an event twice.
        for _ in 0..2 {
            assert_eq!(admit(&first, &ministack, &event), expected);
        }
    }
    to_a_puback(&ministack, &first.path("agent"));
    agent(&ministack, &second.path("agent")).failed_with(1);
    // Who was refused is not let in by a registration either.
    let mut command = atecc(&second, &ministack, &["register", "--out", "elsewhere"]);
    let said = run(&mut command).failed_with(1).stderr;
    assert!(said.contains("revoked") || said.contains("switched"), "{said}");
}

#[test]
fn strangers_chips_come_in_with_consent_only_and_a_registered_ca_is_changed_in_place() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Ignored));
    let role = "arn:aws:iam::000000000000:role/provisioning";
    let provision = ["ca", "register", "--from-chip", "--provision", "--role-arn", role];
    let said = run(&mut atecc(&chip, &ministack, &provision)).failed_with(1).stderr;
    assert!(said.contains("--yes-let-strangers-in"), "{said}");
    assert_eq!(ministack.call("GET", "/cacertificates", None)["certificates"], json!([]));

    let closed = report(&mut atecc(&chip, &ministack, &["ca", "register", "--from-chip"]));
    assert_eq!(outcomes(&closed), ["made"]);
    let mut command = atecc(&chip, &ministack, &provision);
    let finished = run(command.args(["--yes-let-strangers-in", "--json"])).succeeded();
    assert!(finished.stderr.contains("everybody can make such a chip"), "{}", finished.stderr);
    let made: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(outcomes(&made), ["made", "made"]);
    let again = report(atecc(&chip, &ministack, &provision).arg("--yes-let-strangers-in"));
    assert_eq!(outcomes(&again), ["found", "found"]);

    let id = again["certificate_id"].as_str().unwrap();
    let there = ministack.call("GET", &format!("/cacertificate/{id}"), None);
    let template: Value =
        serde_json::from_str(there["registrationConfig"]["templateBody"].as_str().unwrap()).unwrap();
    let printed = run(chip.atecc().args(["ca", "template"])).succeeded();
    assert_eq!(template, serde_json::from_slice::<Value>(&printed.stdout).unwrap());
    // The name that registration gives is the one that the template says.
    assert_eq!(
        template["Resources"]["thing"]["Properties"]["ThingName"]["Ref"],
        "AWS::IoT::Certificate::CommonName"
    );
    assert_eq!(there["registrationConfig"]["roleArn"], role);

    // Keys of other kinds prove a CA to be one's own as well (P-256: `methods`).
    for kind in ["rsa:2048", "ec:secp384r1"] {
        let (algorithm, curve) = kind.split_once(':').unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-nodes", "-days", "9", "-subj", "/CN=Pump CA", "-newkey"]);
        match algorithm {
            "ec" => openssl.args(["ec", "-pkeyopt", &format!("ec_paramgen_curve:{curve}")]),
            _ => openssl.arg(kind),
        };
        run(openssl.args(["-keyout", "ca.key", "-out", "ca.pem"]).current_dir(chip.folder())).succeeded();
        let own = ["ca", "register", "--certificate", "ca.pem", "--mode", "default", "--key", "ca.key"];
        assert_eq!(outcomes(&report(&mut atecc(&chip, &ministack, &own))), ["made"], "{kind}");
    }

    for (arguments, says) in [
        (&["--certificate", "root.pem", "--mode", "default", "--key", "ca.key"][..], "is not that of"),
        (&["--certificate", "device.pem"], "CA:TRUE"),
        (&["--certificate", "root.pem", "--mode", "default"], "--mode default goes with --key"),
        (&["--certificate", "missing.pem"], "missing.pem"),
    ] {
        let mut command = atecc(&chip, &ministack, &["ca", "register"]);
        let said = run(command.args(arguments)).failed_with(1).stderr;
        assert!(said.contains(says), "{said}");
    }
}

/// A device that may hear everything.
fn make_listener(chip: &Chip, ministack: &Ministack) {
    let everything = json!({ "Effect": "Allow", "Action": "iot:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [everything] });
    fs::write(chip.path("everything.json"), policy.to_string()).unwrap();
    let options = ["--policy", "everything", "--policy-document", "everything.json", "--out", "listener"];
    report(atecc(chip, ministack, &["register", "--method", "aws-key", "--thing", "listener"]).args(options));
}

/// mosquitto as that device, which has subscribed to the events of this CA, ends after the first, and writes the file
/// `heard`.
fn listen(chip: &Chip, ministack: &Ministack, authority: &str) -> Running {
    let address = ministack.mqtt_address();
    let (host, port) = address.split_once(':').unwrap();
    let topic = format!("$aws/events/certificates/registered/{authority}");
    let mut mosquitto = Command::new("sh");
    mosquitto
        .args(["-c", "exec stdbuf -oL mosquitto_sub \"$@\" > heard", "sh"])
        .current_dir(chip.path("listener"));
    mosquitto.args(["-h", host, "-p", port, "-i", "listener", "-d", "-C", "1", "-W", "240", "-t", &topic]);
    mosquitto.args(["--cert", "certificate.pem", "--key", "key.pem", "--cafile"]).arg(ministack.authority());
    let running = Running::start(&mut ministack.inside(&mosquitto));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !heard(chip).contains("Subscribed") {
        assert!(Instant::now() < deadline, "not subscribed: {}", heard(chip));
        thread::sleep(Duration::from_millis(20));
    }
    running
}

fn heard(chip: &Chip) -> String {
    fs::read_to_string(chip.path("listener/heard")).unwrap_or_default()
}

/// What `atecc register` would do.
fn dry(chip: &Chip, ministack: &Ministack) -> Value {
    let mut command = atecc(chip, ministack, &["register", "--dry-run", "--out", "elsewhere"]);
    report(&mut command)
}

/// A configuration by hand, for a device that nobody registers.
fn configure(chip: &Chip, ministack: &Ministack) {
    let folder = chip.path("agent");
    fs::create_dir(&folder).unwrap();
    fs::copy(ministack.authority(), folder.join("server-ca.pem")).unwrap();
    let lines = format!(
        "endpoint = 'localhost'\nca_file = 'server-ca.pem'\ndevice = '{}'\n[reconnect]\nfirst_seconds = 1\n",
        chip.device()
    );
    fs::write(folder.join("agent.toml"), lines).unwrap();
}

/// A policy for things, as short as it can be.
fn policy_of_things() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Action": "iot:Connect",
                "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}",
            },
            {
                "Effect": "Allow", "Action": ["iot:Publish", "iot:Receive", "iot:Subscribe"], "Resource": "*",
            },
        ],
    })
}
