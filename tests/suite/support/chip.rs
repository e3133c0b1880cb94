//! Emulated chips for tests.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use atecc_emulator::{Eeprom, EepromFile};
use tempfile::TempDir;

use super::{Running, program, run};

/// A new emulated chip in a folder of its own, with its certificates beside it.
#[derive(Debug)]
pub(crate) struct Chip {
    folder: TempDir,
    serial_number: String,
}

impl Chip {
    pub(crate) fn new() -> Self {
        let mut chip = Self { folder: tempfile::tempdir().unwrap(), serial_number: String::new() };
        run(Command::new(program("atecc")).args(["emulator", "new"]).arg(chip.eeprom())).succeeded();
        for part in ["chain", "device", "signer", "root"] {
            run(chip.atecc().args(["cert", part, "--out"]).arg(chip.path(&format!("{part}.pem"))))
                .succeeded();
        }
        let info = run(chip.atecc().args(["info", "--json"])).succeeded();
        let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
        chip.serial_number = info["serial_number"].as_str().unwrap().to_owned();
        chip
    }

    /// A chip with this memory.
    pub(crate) fn holding(eeprom: &Eeprom) -> Self {
        let serial_number = eeprom.configuration().serial_number().to_string();
        let chip = Self { folder: tempfile::tempdir().unwrap(), serial_number };
        EepromFile::create(&chip.eeprom(), eeprom).unwrap();
        chip
    }

    /// The common name in its certificate.
    pub(crate) fn common_name(&self) -> String {
        format!("sn{}", self.serial_number)
    }

    /// A file in the chip's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn eeprom(&self) -> PathBuf {
        self.path("chip.eeprom")
    }

    /// The chip inside of the process that opens it.
    pub(crate) fn device(&self) -> String {
        format!("emulator:{}", self.eeprom().display())
    }

    /// Lets the module in `command` keep what it knows of the chip in the chip's folder, where nothing is yet.
    pub(crate) fn keep_cache_of<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_remove("XDG_CACHE_HOME").env("HOME", self.folder())
    }

    /// `atecc` with this chip as its device.
    pub(crate) fn atecc(&self) -> Command {
        let mut command = Command::new(program("atecc"));
        command.args(["--device", &self.device()]);
        command
    }

    /// The chip on a bus that processes share, until the value is dropped.
    pub(crate) fn serve(&self) -> ServedBus {
        self.serve_with(&[])
    }

    /// The same, with `options` of `atecc emulator serve`.
    pub(crate) fn serve_with(&self, options: &[&str]) -> ServedBus {
        let socket = self.path("bus.sock");
        let mut command = Command::new(program("atecc"));
        command.args(["emulator", "serve"]).args(options).arg(self.eeprom()).arg(&socket);
        let server = Running::start(&mut command);
        wait_for_socket(&socket);
        ServedBus { socket, server }
    }
}

/// Waits until somebody listens there.
#[track_caller]
pub(crate) fn wait_for_socket(socket: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while UnixStream::connect(socket).is_err() {
        assert!(Instant::now() < deadline, "the emulated bus is not served");
        thread::sleep(Duration::from_millis(10));
    }
}

/// `atecc emulator serve`, running.
#[derive(Debug)]
pub(crate) struct ServedBus {
    pub(crate) socket: PathBuf,
    pub(crate) server: Running,
}

impl ServedBus {
    pub(crate) fn device(&self) -> String {
        format!("emulator:unix:{}", self.socket.display())
    }
}
