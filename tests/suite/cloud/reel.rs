//! `atecc manifest register`: a reel becomes things, whatever happens on the way.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    Double, microburst,
    ministack::{Ministack, Policies},
    moto,
    register::{agent, register},
};
use crate::{
    manifest::LogSigner,
    support::{Chip, Finished, Running, program, run},
};

/// A manifest, and whom to believe of it.
struct Reel {
    folder: TempDir,
}

impl Reel {
    /// Made-up chips.
    fn of(chips: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-entries"));
        run(command.arg(folder.path()).arg(chips.to_string())).succeeded();
        Self { folder }
    }

    /// An emulated chip.
    fn with(chip: &Chip) -> Self {
        let (folder, log_signer) = (tempfile::tempdir().unwrap(), LogSigner::new());
        let manifest = log_signer.create(chip).succeeded().stdout;
        fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        fs::copy(log_signer.certificate(), folder.path().join("log_signer.pem")).unwrap();
        fs::copy(chip.path("root.pem"), folder.path().join("root.pem")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn register(&self, double: &Double) -> Command {
        let mut command = Command::new(program("atecc"));
        command.args(["manifest", "register"]).arg(self.path("manifest.json"));
        command.arg("--log-signer").arg(self.path("log_signer.pem"));
        command.arg("--root").arg(self.path("root.pem"));
        command.args(["--endpoint-url", &double.url(), "--json", "--journal"]).arg(self.path("journal"));
        double.inside(&command)
    }
}

fn report(finished: &Finished) -> Value {
    serde_json::from_slice(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {}", finished.all()))
}

fn counts(finished: &Finished) -> [u64; 4] {
    let report = report(finished);
    ["registered", "already_there", "done_before", "failed"].map(|name| report[name].as_u64().unwrap())
}

/// All pages of a list of the control API.
fn list(double: &Double, path: &str, member: &str) -> Vec<Value> {
    let (mut all, mut query) = (Vec::new(), String::new());
    loop {
        let page = double.call("GET", &format!("{path}?maxResults=250{query}"), None);
        all.extend(page[member].as_array().unwrap().iter().cloned());
        let Some(marker) = ["nextMarker", "nextToken"].iter().find_map(|name| page[*name].as_str()) else {
            return all;
        };
        query = format!("&marker={marker}&nextToken={marker}");
    }
}

#[test]
fn a_reel_becomes_things_once_however_often_it_is_registered() {
    let (reel, ministack) = (Reel::of(30), Ministack::start(Policies::Enforced));
    let dry = report(&run(reel.register(&ministack).arg("--dry-run")).succeeded());
    let would_make = json!(["policy atecc-device", "group atecc-devices"]);
    assert_eq!((&dry["dry_run"]["would_register"], &dry["dry_run"]["would_make"]), (&json!(30), &would_make));
    assert!(!reel.path("journal").exists() && list(&ministack, "/things", "things").is_empty());

    assert_eq!(counts(&run(&mut reel.register(&ministack)).succeeded()), [30, 0, 0, 0]);
    let certificates = list(&ministack, "/certificates", "certificates");
    assert_eq!(certificates.len(), 30);
    let group = list(&ministack, "/thing-groups/atecc-devices/things", "things");
    assert_eq!((group.len(), list(&ministack, "/things", "things").len()), (30, 30));
    // What the journal says is what is there: the id, which is the digest of the certificate, and its thing.
    let journal = fs::read_to_string(reel.path("journal")).unwrap();
    for line in journal.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let (id, thing) = (line["certificate"].as_str().unwrap(), line["thing"].as_str().unwrap());
        let there = certificates.iter().find(|there| there["certificateId"] == id).unwrap();
        assert_eq!(there["status"], "ACTIVE");
        let principals = ministack.call("GET", &format!("/things/{thing}/principals"), None);
        assert_eq!(principals["principals"], json!([there["certificateArn"]]));
    }

    assert_eq!(counts(&run(&mut reel.register(&ministack)).succeeded()), [0, 0, 30, 0]);
    // Without the journal all are asked about again, and found.
    fs::remove_file(reel.path("journal")).unwrap();
    assert_eq!(counts(&run(&mut reel.register(&ministack)).succeeded()), [0, 30, 0, 0]);
    assert_eq!(list(&ministack, "/certificates", "certificates").len(), 30);
}

#[test]
fn a_chip_that_was_on_a_reel_comes_to_a_puback() {
    let (first, chip, ministack) = (Chip::new(), Chip::new(), Ministack::start(Policies::Enforced));
    // The policy comes with the first. ministack looks at those of certificates only, and AWS at those of groups too.
    run(&mut register(&first, &ministack)).succeeded();
    let reel = Reel::with(&chip);
    assert_eq!(counts(&run(reel.register(&ministack).arg("--no-group")).succeeded()), [1, 0, 0, 0]);
    // `register` finds all in place, and writes the agent's configuration.
    let mut command = register(&chip, &ministack);
    let found = run(command.arg("--server-ca").arg(ministack.authority())).succeeded().text();
    assert!(!found.contains("made          sn") && found.contains("is there      sn"), "{found}");
    let said = agent(&ministack, &chip.path("agent")).succeeded().stderr;
    assert!(said.contains("telemetry acknowledged (PUBACK)"), "{said}");
}

#[test]
fn moto_agrees_on_every_step_of_a_reel() {
    let (reel, moto) = (Reel::of(10), moto::start());
    assert_eq!(counts(&run(&mut reel.register(&moto)).succeeded()), [10, 0, 0, 0]);
    assert_eq!(list(&moto, "/thing-groups/atecc-devices/things", "things").len(), 10);
    // It has another endpoint each time, which makes it another account for the journal.
    let other = run(&mut reel.register(&moto)).failed_with(1);
    assert!(other.stderr.contains("is about another account or region"), "{}", other.stderr);
    fs::remove_file(reel.path("journal")).unwrap();
    assert_eq!(counts(&run(&mut reel.register(&moto)).succeeded()), [0, 10, 0, 0]);
}

/// SIGKILL at any moment, and three of ten calls throttled.
#[test]
fn a_run_that_is_killed_again_and_again_registers_all_and_none_twice() {
    const CHIPS: usize = 120;
    let (reel, ministack) = (Reel::of(CHIPS), Ministack::start(Policies::Ignored));
    let rule = |operation: &str| {
        let error = json!({ "code": "ThrottlingException" });
        json!({ "service": "iot", "operation": operation, "probability": 0.3, "error": error })
    };
    let throttled =
        ["RegisterCertificateWithoutCA", "CreateThing", "AttachThingPrincipal", "AddThingToThingGroup"];
    let throttled = microburst::start(&ministack, &throttled.map(rule).into());
    let fast = |mut command: Command| {
        command.args(["--quota", "RegisterCertificateWithoutCA=40"]);
        command
    };
    let mut killed = 0;
    while killed < 5 {
        let mut running = Running::start(&mut fast(reel.register(&throttled)));
        // Long enough to get somewhere on a busy machine: until the journal has grown.
        let length = || fs::metadata(reel.path("journal")).map_or(0, |metadata| metadata.len());
        let before = length();
        for _ in 0..600 {
            if length() > before + 1500 {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        running.kill();
        killed += 1;
    }
    let finished = run(&mut fast(reel.register(&throttled))).succeeded();
    let [registered, already_there, done_before, failed] = counts(&finished);
    assert_eq!((registered + already_there + done_before, failed), (CHIPS as u64, 0));
    assert!(done_before >= 30, "{done_before}");
    assert_eq!(list(&ministack, "/certificates", "certificates").len(), CHIPS);
    let things = list(&ministack, "/things", "things");
    assert_eq!(things.len(), CHIPS);
    assert_eq!(list(&ministack, "/thing-groups/atecc-devices/things", "things").len(), CHIPS);
    for thing in things.iter().step_by(10) {
        let path = format!("/things/{}/principals", thing["thingName"].as_str().unwrap());
        assert_eq!(ministack.call("GET", &path, None)["principals"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn ctrl_c_stops_it_cleanly_and_says_how_to_go_on() {
    let (reel, ministack) = (Reel::of(60), Ministack::start(Policies::Ignored));
    let running = Running::start(&mut reel.register(&ministack));
    for _ in 0..600 {
        if fs::metadata(reel.path("journal")).is_ok_and(|metadata| metadata.len() > 1000) {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    run(Command::new("kill").args(["-INT", &running.id().to_string()])).succeeded();
    let finished = running.finish(Duration::from_secs(60)).failed_with(1);
    assert!(finished.stderr.contains("the same command goes on from there"), "{}", finished.stderr);
    let [registered, ..] = counts(&finished);
    assert!((1..60).contains(&registered), "{registered}");
    let [rest, there, before, _] = counts(&run(&mut reel.register(&ministack)).succeeded());
    assert_eq!((before, rest + there + before), (registered, 60));
}

#[test]
fn nothing_is_registered_of_a_manifest_that_is_not_to_be_believed() {
    let (reel, ministack) = (Reel::of(5), Ministack::start(Policies::Ignored));
    let mut entries: Value = serde_json::from_slice(&fs::read(reel.path("manifest.json")).unwrap()).unwrap();
    entries[2]["header"]["uniqueId"] = "012300000000ffff01".into();
    fs::write(reel.path("manifest.json"), entries.to_string()).unwrap();
    let finished = run(&mut reel.register(&ministack)).failed_with(1);
    assert!(finished.stderr.contains("1 of 5 entries are not to be believed"), "{}", finished.stderr);
    assert!(list(&ministack, "/things", "things").is_empty());

    let finished = run(reel.register(&ministack).arg("--skip-refused")).failed_with(1);
    assert_eq!(counts(&finished), [4, 0, 0, 0]);
    assert_eq!(report(&finished)["problems"][0]["entry"], 3);
    assert!(finished.stderr.contains("1 entries were left out"), "{}", finished.stderr);
}

#[test]
fn what_stands_in_the_way_is_said_before_anything_is_registered() {
    let (reel, ministack) = (Reel::of(3), Ministack::start(Policies::Ignored));
    let cases: [(&[&str], &str); 4] = [
        (&["--policy", "nowhere"], "there is no policy nowhere in us-east-1"),
        (&["--no-group"], "the policy that this program ships needs a group"),
        (&["--thing", "pump"], "all chips would have the same name"),
        (&["--region", "us-east-1", "--region", "us-west-2"], "in one account and region at a time"),
    ];
    for (arguments, expected) in cases {
        let finished = run(reel.register(&ministack).args(arguments)).failed_with(1);
        assert!(finished.stderr.contains(expected), "{}", finished.stderr);
    }
    assert!(!reel.path("journal").exists(), "a journal was begun for nothing");
    fs::create_dir(reel.path("journal")).unwrap();
    let finished = run(&mut reel.register(&ministack)).failed_with(1);
    assert!(finished.stderr.contains("journal cannot be kept: Is a directory"), "{}", finished.stderr);
    assert!(list(&ministack, "/certificates", "certificates").is_empty());

    // Nobody listens any more: it says so at once, and not for each chip.
    let url = ministack.url();
    drop(ministack);
    let mut command = Command::new(program("atecc"));
    command.args(["manifest", "register", "--endpoint-url", &url, "--region", "us-east-1"]);
    command.arg(reel.path("manifest.json")).arg("--log-signer").arg(reel.path("log_signer.pem"));
    command.arg("--root").arg(reel.path("root.pem"));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let finished = run(&mut command).failed_with(1);
    assert!(finished.stderr.contains("nobody listens at"), "{}", finished.stderr);
}
