//! A certificate for TLS servers on the loopback interface, made with openssl.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

use super::run;

/// A server certificate for `localhost`, its key, and the root that issued it.
#[derive(Debug)]
pub(crate) struct ServerCertificate {
    folder: TempDir,
}

impl ServerCertificate {
    pub(crate) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let root_key = made.folder.path().join("root.key");
        run(request("/CN=Server Root").arg("-keyout").arg(&root_key).arg("-out").arg(made.root()))
            .succeeded();
        let mut server = request("/CN=localhost");
        server.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        server.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        server.arg("-CA").arg(made.root()).arg("-CAkey").arg(&root_key);
        run(server.arg("-keyout").arg(made.key()).arg("-out").arg(made.certificate())).succeeded();
        made
    }

    /// PEM.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// PEM.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// PEM.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}

/// `openssl req` for a new P-256 key and a certificate that lives two days.
fn request(subject: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-days", "2", "-subj", subject]);
    command
}
