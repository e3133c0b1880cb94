//! A token of SoftHSM in a folder of its own, with a key and a certificate that openssl made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::run;

pub(crate) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// Long enough to be found if it is printed.
pub(crate) const PIN: &str = "3141592653";

pub(crate) struct SoftHsm {
    folder: PathBuf,
}

impl SoftHsm {
    /// A token called `gateway` with a key of `kind`, as pkcs11-tool names it, and its certificate, both called `key`.
    pub(crate) fn new(folder: &Path, kind: &str, common_name: &str) -> Self {
        let token = Self { folder: folder.to_owned() };
        fs::create_dir(folder.join("tokens")).unwrap();
        let configuration =
            format!("directories.tokendir = {}\nlog.level = ERROR\n", folder.join("tokens").display());
        fs::write(token.configuration(), configuration).unwrap();
        let mut init = token.command("softhsm2-util");
        run(init.args(["--init-token", "--free", "--label", "gateway", "--so-pin", "0000", "--pin", PIN]))
            .succeeded();
        let name = ["--label", "key", "--id", "07"];
        run(token.pkcs11_tool().args(["--keypairgen", "--key-type", kind]).args(name)).succeeded();
        let mut certificate = token.command("openssl");
        certificate
            .args(["req", "-new", "-x509", "-days", "2", "-engine", "pkcs11", "-keyform", "engine", "-key"]);
        certificate.arg(format!("pkcs11:token=gateway;object=key;type=private;pin-value={PIN}"));
        certificate.args(["-subj", &format!("/CN={common_name}"), "-out"]).arg(token.certificate());
        run(certificate.env("PKCS11_MODULE_PATH", MODULE)).succeeded();
        let der = folder.join("certificate.der");
        let mut convert = Command::new("openssl");
        run(convert.args(["x509", "-outform", "DER", "-in"]).arg(token.certificate()).arg("-out").arg(&der))
            .succeeded();
        let mut store = token.pkcs11_tool();
        run(store.arg("--write-object").arg(&der).args(["--type", "cert"]).args(name)).succeeded();
        token
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// PEM.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Lets the modules in `command` see this token and no other.
    pub(crate) fn show_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SOFTHSM2_CONF", self.configuration())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.show_to(&mut command);
        command
    }

    fn pkcs11_tool(&self) -> Command {
        let mut command = self.command("pkcs11-tool");
        command.args(["--module", MODULE, "--token-label", "gateway", "--login", "--pin", PIN]);
        command
    }
}
