//! What the PKCS#11 module does beyond the key of slot 0, as programs see it: new keys, secrets, MACs and ciphers, objects
//! that applications keep, PINs, chips that come and go.

mod fuzz;
mod generate;
mod login;
mod parameters;
mod removable;
mod secrets;
mod store;

use std::{fs, path::PathBuf, process::Command};

use super::support::{Chip, Finished, module, run};

/// A chip with a configuration file of its own. Its time passes without waiting.
struct Configured {
    chip: Chip,
}

impl Configured {
    /// A new chip, and `more` lines in the configuration.
    fn new(more: &str) -> Self {
        let configured = Self { chip: Chip::new() };
        configured.configure(more);
        configured
    }

    /// Writes the configuration anew.
    fn configure(&self, more: &str) {
        let device = format!("device = \"{}?clock=virtual\"\n{more}\n", self.chip.device());
        fs::write(self.file(), device).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.chip.path("atecc.toml")
    }

    /// Where applications' objects are: beside the configuration.
    fn store(&self) -> PathBuf {
        self.chip.path("objects.toml")
    }

    /// A program that finds the configuration through the environment.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("ATECC_CONFIG", self.file()).env_remove("ATECC_DEVICE").env("ATECC_LOG", "1");
        command
    }

    fn pkcs11_tool(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("pkcs11-tool");
        command.arg("--module").arg(module()).args(arguments);
        command
    }

    fn tool(&self, arguments: &[&str]) -> Finished {
        run(&mut self.pkcs11_tool(arguments))
    }

    /// The file in the chip's folder, as an argument.
    fn path(&self, name: &str) -> String {
        self.chip.path(name).to_str().unwrap().to_owned()
    }

    /// A public key of the token, as openssl reads it.
    fn public_key(&self, label: &str) -> String {
        let (der, pem) = (self.path("read.der"), self.path(&format!("{label}.pub.pem")));
        let read = ["--read-object", "--type", "pubkey", "--label", label, "--output-file", &der];
        self.tool(&read).succeeded();
        openssl(&["pkey", "-pubin", "-inform", "DER", "-in", &der, "-out", &pem]);
        pem
    }
}

#[track_caller]
fn openssl(arguments: &[&str]) -> Finished {
    run(Command::new("openssl").args(arguments)).succeeded()
}
