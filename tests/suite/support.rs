//! What the tests share: emulated chips, processes with a time limit, a TLS server's certificate.

mod bus_log;
mod chip;
mod pasted;
mod pki;
mod preload;
mod process;
mod terminal;

pub(crate) use bus_log::BusLog;
pub(crate) use chip::{Chip, ServedBus, wait_for_socket};
pub(crate) use pasted::{release_programs, script, sh_blocks};
pub(crate) use pki::ServerCertificate;
pub(crate) use preload::{BUS_NUMBER, I2C_DEV, Message, give_i2c_dev, messages, record};
pub(crate) use process::{Finished, Running, run, run_with_input};
pub(crate) use terminal::Terminal;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A fresh build of a program of the workspace, in the profile of the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    products().join(name)
}

/// The folder with fresh builds of what the packages hold, in the profile of the tests: atecc, atecc-agent and
/// libpkcs11_atecc.so.
pub(crate) fn products() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository()).args(["build", "--quiet", "--locked", "--lib"]);
        cargo.args(["--bin", "atecc", "--bin", "atecc-agent", "--profile", profile()]);
        cargo.env("CARGO_TARGET_DIR", target_directory());
        assert!(cargo.status().unwrap().success(), "the programs under test do not build");
    });
    profile_directory()
}

/// What cargo calls the profile of the tests.
pub(crate) fn profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

/// The PKCS#11 module that was built for this run of the tests.
pub(crate) fn module() -> PathBuf {
    let path = profile_directory().join("deps/libpkcs11_atecc.so");
    let path = if path.exists() { path } else { profile_directory().join("libpkcs11_atecc.so") };
    assert!(path.exists(), "no libpkcs11_atecc.so beside the tests");
    path
}

/// A port of the loopback interface on which nobody listens at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The bytes behind hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2));
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// target/debug or target/release.
fn profile_directory() -> PathBuf {
    // The test executable is in its `deps`.
    std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().into()
}

pub(crate) fn target_directory() -> PathBuf {
    profile_directory().parent().unwrap().into()
}
