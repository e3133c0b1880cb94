//! Microchip's library in real time: `tests/vendor/bench.py` in a process of its own, with the preload library
//! between it and the served bus.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use atecc_emulator::Meter;

use crate::{
    Result, Side,
    cost::Cost,
    scenario::{DIGEST, Inputs, Scenario},
};

/// The folder of the tests.
const TESTS: &str = env!("CARGO_MANIFEST_DIR");
/// The N of /dev/i2c-N.
const BUS_NUMBER: &str = "1";
/// The address of Trust&GO parts, in eight bits as the vendor writes it.
const TRUST_AND_GO: &str = "0x6a";

/// The library, waiting for what to do.
pub(crate) struct Vendor {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    meter: Meter,
    inputs: Inputs,
}

impl Vendor {
    /// On the bus behind `socket`, which `meter` counts; `folder` is for what is compiled.
    pub(crate) fn start(socket: &Path, folder: &Path, meter: Meter, inputs: Inputs) -> Result<Self> {
        let mut process = Command::new(python()?)
            .arg(format!("{TESTS}/vendor/bench.py"))
            .args([BUS_NUMBER, TRUST_AND_GO])
            .env("LD_PRELOAD", preload(folder)?)
            .env("ATECC_PRELOAD_BUS", BUS_NUMBER)
            .env("ATECC_PRELOAD_SOCKET", socket)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("no pipe to Python".into());
        };
        let mut vendor = Self { process, stdin, stdout: BufReader::new(stdout), meter, inputs };
        // Before anything is measured: its libraries are loaded, and it gets an answer.
        vendor.call("open")?;
        Ok(vendor)
    }

    /// What a process of its own would do for one signature.
    fn open_and_sign(&mut self) -> Result<Cost> {
        let before = self.meter.figures();
        let wall = self.call("open")? + self.call(&format!("sign 0 {}", hex(&DIGEST)))?;
        Ok(Cost::between(&before, &self.meter.figures(), wall))
    }

    /// Makes one call, and gives how long it took inside of that process.
    fn call(&mut self, call: &str) -> Result<Duration> {
        writeln!(self.stdin, "{call}")?;
        let mut answer = String::new();
        self.stdout.read_line(&mut answer)?;
        match answer.trim_end().split_once(' ') {
            Some(("ATCA_SUCCESS", nanoseconds)) => Ok(Duration::from_nanos(nanoseconds.parse()?)),
            _ => Err(format!("Microchip's library, {call}: {answer:?}").into()),
        }
    }
}

impl Side for Vendor {
    const NAME: &'static str = "Microchip's, real time";

    fn measure(&mut self, scenario: Scenario) -> Result<Option<Cost>> {
        let Inputs { public_key, signature } = &self.inputs;
        let digest = hex(&DIGEST);
        let call = match scenario {
            Scenario::Open => "open".to_owned(),
            Scenario::PublicKey | Scenario::PublicKeyAgain => "pubkey 0".to_owned(),
            Scenario::FirstSignature | Scenario::Signature => format!("sign 0 {digest}"),
            Scenario::SignatureWithoutRandom => format!("sign_without_random 0 {digest}"),
            Scenario::Certificates | Scenario::CertificatesAgain => "certificates".to_owned(),
            Scenario::Random => "random".to_owned(),
            // It knows no first time.
            Scenario::FirstProcess | Scenario::NextProcess => return self.open_and_sign().map(Some),
            Scenario::Verify => {
                format!("verify {digest} {} {}", hex(signature.as_bytes()), hex(public_key.as_bytes()))
            }
        };
        let before = self.meter.figures();
        let wall = self.call(&call)?;
        Ok(Some(Cost::between(&before, &self.meter.figures(), wall)))
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The interpreter of the virtual environment that `tests/run` makes.
fn python() -> Result<PathBuf> {
    // This program is in target/PROFILE.
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).unwrap_or(&program);
    let environment = target.join("vendor");
    let pinned = fs::read(format!("{TESTS}/vendor/requirements.txt"))?;
    if fs::read(environment.join("requirements.txt")).is_ok_and(|installed| installed == pinned) {
        return Ok(environment.join("bin/python"));
    }
    Err(format!("not in {}, or not in the pinned version; `tests/run` installs it", environment.display())
        .into())
}

/// The preload library, compiled.
fn preload(folder: &Path) -> Result<PathBuf> {
    let library = folder.join("i2c_dev.so");
    let mut gcc = Command::new("gcc");
    gcc.args(["-std=gnu11", "-O2", "-fPIC", "-shared", "-o"]).arg(&library);
    let status = gcc.arg(format!("{TESTS}/preload/i2c_dev.c")).args(["-ldl", "-lpthread"]).status()?;
    if status.success() { Ok(library) } else { Err("the preload library does not compile".into()) }
}

/// `bytes` as an argument of a call.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("x:".to_owned(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
