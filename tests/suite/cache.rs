//! What a process leaves on the disk for the next one, and for whom it leaves nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use atecc_emulator::{Bus, Chip, Clock, Figures, Meter, Pace, provision, socket::Server};

use super::support::{Chip as TestChip, Finished, program, run};

/// A chip whose bus counts.
struct Bench {
    device: String,
    home: PathBuf,
    meter: Meter,
}

impl Bench {
    /// `atecc` with a cache, and what it cost the chip.
    fn atecc(&self, arguments: &[&str]) -> (Finished, u64, u64) {
        let before: Figures = self.meter.figures();
        let mut command = Command::new(program("atecc"));
        command.args(["--device", &self.device]).args(arguments);
        let finished = run(command.env("XDG_CACHE_HOME", &self.home)).succeeded();
        let after = self.meter.figures();
        (finished, after.wakes - before.wakes, after.commands - before.commands)
    }
}

fn on_a_bus(test: impl FnOnce(&Bench)) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bus.sock");
    let chip = Chip::new(provision::tng_tls().unwrap(), Pace::Typical);
    let bus = Bus::new(chip, Clock::real(), Bus::STANDARD_HERTZ);
    let device = format!("emulator:unix:{}", socket.display());
    let bench = Bench { device, home: folder.path().join("cache"), meter: bus.meter() };
    fs::create_dir(&bench.home).unwrap();
    let server = Server::bind(&socket).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| server.run(bus));
        test(&bench);
        server.stop();
    });
}

#[test]
fn the_second_process_reads_nothing_again() {
    on_a_bus(|bench| {
        fs::write(bench.home.join("message"), "signed").unwrap();
        let message = bench.home.join("message").display().to_string();
        // Serial check; KeyConfig and key; Random, Nonce, Sign.
        let (_, wakes, commands) = bench.atecc(&["sign", &message]);
        assert_eq!((wakes, commands), (3, 6));
        let (cold, wakes, _) = bench.atecc(&["cert"]);
        assert_eq!(wakes, 3);
        let (warm, wakes, commands) = bench.atecc(&["cert"]);
        assert_eq!((wakes, commands), (1, 1));
        assert_eq!(warm.stdout, cold.stdout);
        // Serial check; Random, Nonce, Sign.
        let (_, wakes, commands) = bench.atecc(&["sign", &message]);
        assert_eq!((wakes, commands), (2, 4));
    });
}

/// Whoever examines the chip asks the chip.
#[test]
fn the_doctor_does_not_ask_the_cache() {
    on_a_bus(|bench| {
        let (_, _, first) = bench.atecc(&["doctor"]);
        bench.atecc(&["cert"]);
        let (_, _, second) = bench.atecc(&["doctor"]);
        assert!(second >= first && first > 20, "{first} commands, then {second}");
    });
}

/// A process with more rights than its caller: the caller, who says where the cache is, would choose what such a
/// process reads, or where it writes.
#[test]
fn a_set_user_id_process_has_no_cache() {
    const NOBODY: u32 = 65_534;
    let chip = TestChip::new();
    let folder = tempfile::tempdir().unwrap();
    let (privileged, home) = (folder.path().join("atecc"), folder.path().join("cache"));
    fs::copy(program("atecc"), &privileged).unwrap();
    fs::create_dir(&home).unwrap();
    let everybody = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    everybody(folder.path(), 0o755);
    everybody(&home, 0o755);
    // What nobody can open.
    everybody(chip.folder(), 0o777);
    everybody(&chip.eeprom(), 0o666);
    std::os::unix::fs::chown(&home, Some(NOBODY), None).unwrap();
    let cert = || {
        let mut command = Command::new(&privileged);
        command.args(["--device", &chip.device(), "cert"]).env("XDG_CACHE_HOME", &home);
        run(&mut command).succeeded();
        fs::read_dir(&home).unwrap().count()
    };
    std::os::unix::fs::chown(&privileged, Some(NOBODY), None).unwrap();
    everybody(&privileged, 0o4755);
    assert_eq!(cert(), 0);
    // As nobody without more rights, the same program has one.
    everybody(&privileged, 0o755);
    let mut as_nobody = Command::new("setpriv");
    as_nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&privileged);
    as_nobody.args(["--device", &chip.device(), "cert"]).env("XDG_CACHE_HOME", &home);
    run(&mut as_nobody).succeeded();
    assert_eq!(fs::read_dir(home.join("atecc")).unwrap().count(), 1);
}
