//! The PKCS#11 module in real time: a process of its own for each signature.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use atecc_emulator::Meter;

use crate::{Result, Side, cost::Cost, scenario::Scenario};

/// The program `module-sign` and the module, on a served bus.
pub(crate) struct Module {
    program: PathBuf,
    module: PathBuf,
    device: String,
    /// Where the module keeps what it knows of chips.
    home: PathBuf,
    meter: Meter,
}

impl Module {
    /// Those beside this program, on the bus behind `socket`, which `meter` counts; `folder` is empty.
    pub(crate) fn new(socket: &Path, folder: &Path, meter: Meter) -> Result<Self> {
        let beside = |name| -> Result<PathBuf> {
            let path = env::current_exe()?.with_file_name(name);
            if path.exists() {
                return Ok(path);
            }
            Err(format!("no {}: `cargo build --release -p tests -p pkcs11-atecc`", path.display()).into())
        };
        Ok(Self {
            program: beside("module-sign")?,
            module: beside("libpkcs11_atecc.so")?,
            device: format!("emulator:unix:{}", socket.display()),
            home: folder.join("home"),
            meter,
        })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("ATECC_DEVICE", &self.device).env("HOME", &self.home).env_remove("XDG_CACHE_HOME");
        command.stdin(Stdio::null());
        command
    }

    /// A process that lists all objects, after which the disk has what can be kept of the chip.
    fn fill_cache(&self) -> Result<()> {
        let mut list = self.command(Path::new("pkcs11-tool"));
        let listed = list.arg("--module").arg(&self.module).arg("--list-objects").output()?;
        if listed.status.success() { Ok(()) } else { Err("pkcs11-tool lists no objects".into()) }
    }

    /// From C_Initialize to the end of C_Sign.
    fn sign(&self) -> Result<Duration> {
        let output = self.command(&self.program).arg(&self.module).args(["1", "1", "0"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let took = text.lines().find_map(|line| line.strip_prefix("took ")).ok_or("module-sign failed")?;
        took.split(' ').map(|microseconds| Ok(Duration::from_micros(microseconds.parse()?))).sum()
    }
}

impl Side for Module {
    const NAME: &'static str = "our module, real time";

    fn measure(&mut self, scenario: Scenario) -> Result<Option<Cost>> {
        match scenario {
            Scenario::FirstProcess => {
                // A chip that nobody has met.
                let _ = std::fs::remove_dir_all(&self.home);
            }
            Scenario::NextProcess => self.fill_cache()?,
            _ => return Ok(None),
        }
        let before = self.meter.figures();
        let wall = self.sign()?;
        Ok(Some(Cost::between(&before, &self.meter.figures(), wall)))
    }
}
