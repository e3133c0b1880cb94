//! The module under load, by the program `load`: a sixth of what it does when nobody says how much, which is for
//! `tests/run --long`.

use std::{process::Command, time::Duration};

use super::support::{Running, module};

#[test]
fn sixteen_processes_and_sixteen_threads_sign_and_killed_ones_leave_the_bus_free() {
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    load.arg("--module").arg(module());
    load.args(["--users", "16", "--signatures", "12", "--kills", "15"]);
    let output = Running::start(&mut load).finish(Duration::from_secs(400)).succeeded().text();
    for line in ["16 processes: 192 signatures", "16 threads: 192 signatures", "15 processes killed"] {
        assert!(output.contains(line), "{output}");
    }
}
