//! `atecc register`, from a chip out of the bag to the first PUBACK.

mod chip;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::ministack::Ministack;
use crate::support::{Chip, Finished, program, run};

/// `atecc register` for this chip, with its files in the chip's folder.
pub(super) fn register(chip: &Chip, double: &super::Double) -> Command {
    let mut command = chip.atecc();
    command.args(["register", "--endpoint-url", &double.url(), "--out"]).arg(chip.path("agent"));
    double.inside(&command)
}

/// What the agent says that publishes once with the configuration in `folder`, and gets the acknowledgement.
#[track_caller]
fn agent(ministack: &Ministack, folder: &Path) -> Finished {
    let mut command = Command::new(program("atecc-agent"));
    command.args(["run", "--once", "--config"]).arg(reachable(ministack, folder));
    run(&mut ministack.inside(&command))
}

/// The configuration in `folder`, with what a double adds: its endpoint is no name that is found.
pub(super) fn reachable(ministack: &Ministack, folder: &Path) -> PathBuf {
    let written = fs::read_to_string(folder.join("agent.toml")).unwrap();
    let file = folder.join("with-address.toml");
    let address = ministack.mqtt_address();
    fs::write(&file, format!("address = '{address}'\n{written}\n[outbox]\nfolder = 'outbox'\n")).unwrap();
    file
}
