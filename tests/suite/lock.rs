//! The lock of the bus where processes are further apart than usual: forked, in other mount namespaces, in
//! containers.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::{
    c_surface::Program,
    support::{Chip, Finished, I2C_DEV, Running, give_i2c_dev, module, program, run},
};

fn sign_many(device: &str, count: u32, seed: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    command.args([device, &count.to_string(), &seed.to_string()]);
    command
}

/// The lock is of the open file, which a forked child shares. While such a child of a killed process sleeps on,
/// the next one gets the bus, if the fork was not in mid-signature, or is told who has it. Once the child is gone,
/// it is free.
#[test]
fn a_process_is_killed_in_mid_signature_while_its_child_sleeps() {
    let chip = Chip::new();
    let bus = chip.serve();
    let killed = run(Command::new(Program::compile("fork_and_die").path)
        .arg(module())
        .env("ATECC_DEVICE", bus.device()));
    assert_eq!(killed.status.code(), None, "{}", killed.all());
    let child = killed.text().trim().to_owned();

    let next = Running::start(&mut sign_many(&bus.device(), 1, 1)).finish(Duration::from_secs(100));
    if !next.status.success() || next.text().contains("error") {
        assert!(next.all().contains("another program has held the bus for 30 s; `fuser "), "{}", next.all());
    }
    run(Command::new("sh").args(["-c", &format!("kill -s KILL {child}")])).succeeded();
    let freed = run(&mut sign_many(&bus.device(), 1, 2)).succeeded();
    assert!(!freed.text().contains("error"), "{}", freed.text());
}

/// An adapter that is pulled and put back has a new node: here the file that stands for it, and for its lock, is made
/// anew under the same name. The program opens and locks that, and goes on; only the signature that was under way may
/// be lost.
#[test]
fn a_node_that_is_made_anew_is_found_by_a_program_that_runs() {
    let chip = Chip::new();
    let bus = chip.serve();
    let mut command = sign_many(I2C_DEV, 30, 1);
    let signer = Running::start(give_i2c_dev(&mut command, &bus.socket));
    let lock = chip.path("bus.sock.lock");
    let inode = || fs::metadata(&lock).map(|metadata| metadata.ino()).ok();
    let deadline = Instant::now() + Duration::from_secs(20);
    while inode().is_none() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(Duration::from_millis(500));
    let old = fs::File::open(&lock).unwrap();
    fs::remove_file(&lock).unwrap();
    let output = signer.finish(Duration::from_secs(60)).succeeded();
    assert_eq!(output.text().lines().count(), 30);
    let lost = output.text().lines().filter(|line| line.starts_with("error")).count();
    assert!(lost <= 1, "{}", output.text());
    assert!(inode().is_some_and(|new| new != old.metadata().unwrap().ino()), "it was not made anew");
}

/// A mount namespace of its own changes the names of files, not the files.
#[test]
fn holders_in_two_mount_namespaces_exclude_each_other() {
    let chip = Chip::new();
    let bus = chip.serve();
    let mut apart = Command::new("unshare");
    apart.args(["--mount", env!("CARGO_BIN_EXE_sign-many"), &bus.device(), "20", "1"]);
    let apart = Running::start(&mut apart);
    let here = run(&mut sign_many(&bus.device(), 20, 2)).succeeded();
    let apart = apart.finish(Duration::from_secs(60)).succeeded();
    for finished in [here, apart] {
        assert_eq!(finished.text().lines().count(), 20);
        assert!(!finished.text().contains("error"), "{}", finished.text());
    }
}

/// What a container runtime does for `--device`: another node with the numbers of the same device. Its lock would
/// be another one, so it is refused. (/dev/null stands for the bus; no byte is sent to it.)
#[test]
fn a_copy_of_a_device_node_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("i2c-1");
    run(Command::new("mknod").arg(&copy).args(["c", "1", "3"])).succeeded();
    let message = info_on(&copy).failed_with(1).stderr;
    assert!(message.contains("is a copy of the host's device node"), "{message}");
    assert!(message.contains("atecc bridge serve"), "{message}");
    assert!(message.contains("--volume"), "{message}");
}

/// The kernel's own node, by whatever name, is not.
#[test]
fn the_hosts_device_node_is_not_refused_for_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let alias = folder.path().join("by-path");
    std::os::unix::fs::symlink("/dev/null", &alias).unwrap();
    let message = info_on(&alias).failed_with(1).stderr;
    assert!(!message.contains("is a copy"), "{message}");
}

fn info_on(node: &Path) -> Finished {
    run(Command::new(program("atecc")).args(["--device", &format!("i2c:{}", node.display()), "info"]))
}
