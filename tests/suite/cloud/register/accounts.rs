//! Several accounts and regions in one run.

use std::{fs, process::Command};

use super::{atecc, json};
use crate::{
    cloud::ministack::{Ministack, Policies},
    support::{Chip, run},
};

/// ministack takes an access key id of twelve digits for the number of an account.
const ACCOUNTS: [(&str, &str); 2] = [("pumps", "111111111111"), ("valves", "222222222222")];

#[test]
fn one_chip_is_registered_in_two_accounts_and_two_regions_at_once() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Ignored));
    let credentials = ACCOUNTS.map(|(profile, account)| {
        format!("[{profile}]\naws_access_key_id = {account}\naws_secret_access_key = test\n")
    });
    fs::create_dir(chip.path(".aws")).unwrap();
    fs::write(chip.path(".aws/credentials"), credentials.concat()).unwrap();
    let register = || {
        let places =
            ["--profile", "pumps", "--profile", "valves", "--region", "eu-west-1", "--region", "us-west-2"];
        let mut command = atecc(&chip, &ministack, &["register", "--out", "agents"]);
        // The environment names credentials too, and what was typed goes before them.
        command.args(places).env("HOME", chip.folder());
        command
    };
    let report = json(&mut register());
    let registrations = report["registrations"].as_array().unwrap();
    assert_eq!(registrations.len(), 4);
    for registration in registrations {
        let (profile, region) =
            (registration["profile"].as_str().unwrap(), registration["region"].as_str().unwrap());
        let steps = registration["steps"].as_array().unwrap();
        assert_eq!(steps[1]["outcome"], "made", "{profile} {region}");
        let file = chip.path(&format!("agents/{profile}-{region}/agent.toml"));
        let written = fs::read_to_string(file).unwrap();
        assert!(written.contains(&format!(".iot.{region}.")), "{written}");
    }
    // Each account has an endpoint of its own.
    let endpoint = |at: usize| registrations[at]["steps"][0]["what"].as_str().unwrap().to_owned();
    assert_ne!(endpoint(0).split('-').next(), endpoint(2).split('-').next());
    for (_, account) in ACCOUNTS {
        assert!(things(&ministack, account).contains(&chip.common_name()), "{account}");
    }
    // Where one of them cannot be reached, the others are done, and the exit code tells.
    let mut command = register();
    let finished = run(command.args(["--profile", "nobody"])).failed_with(1);
    assert!(finished.stderr.contains("profile nobody gives no credentials"), "{}", finished.stderr);
    assert!(finished.stderr.contains("2 of 6 accounts and regions"), "{}", finished.stderr);
    assert_eq!(finished.text().matches("atecc-agent run --config").count(), 4, "{}", finished.text());
}

/// The things of an account, as AWS lists them.
fn things(ministack: &Ministack, account: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--user", &format!("{account}:test"), "--aws-sigv4", "aws:amz:eu-west-1:iot"]);
    run(&mut ministack.inside(curl.arg(format!("{}/things", ministack.url())))).succeeded().text()
}
