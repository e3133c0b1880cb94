//! docs/registration.md is true: its commands run as they are pasted.

use std::{env, fs, process::Command};

use crate::{
    cloud::ministack::{Ministack, Policies},
    support::{Chip, program, repository, run, script, sh_blocks},
};

/// One shell runs all of them in the chip's folder, with a double where AWS would be.
#[test]
fn the_commands_of_the_page_work_as_pasted() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Ignored));
    let page = fs::read_to_string(repository().join("docs/registration.md")).unwrap();
    let blocks = sh_blocks(&page);
    assert!(blocks.len() >= 7, "the commands were not found");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script("-euo pipefail", &blocks.concat())]).current_dir(chip.folder());
    let programs = program("atecc").parent().unwrap().display().to_string();
    bash.env("PATH", format!("{programs}:{}", env::var("PATH").unwrap()));
    bash.env("ATECC_DEVICE", chip.device()).env("AWS_ENDPOINT_URL", ministack.url());
    let said = run(&mut ministack.inside(&bash)).succeeded().all();
    assert!(said.contains("atecc-agent run --config atecc-agent/agent.toml"), "{said}");
    let allowed = fs::read_to_string(chip.path("allowed")).unwrap();
    assert_eq!(allowed.trim_end().split_once(' ').unwrap().1, chip.common_name());
    for folder in ["gateway-7", "everywhere/eu-central-1", "from-request", "from-aws", "pump-7"] {
        assert!(chip.path(folder).join("agent.toml").exists(), "{folder}");
    }
}
