//! The emulated bus as /dev/i2c-1 of one program: the preload library of `tests/preload`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{repository, run};

/// The device spec of the chip on the node that [`give_i2c_dev`] makes.
pub(crate) const I2C_DEV: &str = "i2c:/dev/i2c-1";
/// The number in the node's name.
pub(crate) const BUS_NUMBER: &str = "1";

/// Lets `command` find the bus that is served on `socket` as /dev/i2c-1.
pub(crate) fn give_i2c_dev<'a>(command: &'a mut Command, socket: &Path) -> &'a mut Command {
    command
        .env("LD_PRELOAD", library())
        .env("ATECC_PRELOAD_BUS", BUS_NUMBER)
        .env("ATECC_PRELOAD_SOCKET", socket)
}

/// Lets the preload library of `command` append what crosses the bus to `log`; [`messages`] reads it.
pub(crate) fn record<'a>(command: &'a mut Command, log: &Path) -> &'a mut Command {
    command.env("ATECC_PRELOAD_LOG", log)
}

/// One message on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) address: u8,
    pub(crate) is_read: bool,
    /// Nothing if a read was not acknowledged.
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_acknowledged: bool,
}

/// The messages in `log`, in their order.
pub(crate) fn messages(log: &Path) -> Vec<Message> {
    let text = fs::read_to_string(log).unwrap();
    text.lines()
        .map(|line| {
            let [_time, _process, address, direction, bytes, status] =
                line.split(' ').collect::<Vec<_>>()[..]
            else {
                panic!("the preload library wrote {line:?}");
            };
            Message {
                address: u8::from_str_radix(address, 16).unwrap(),
                is_read: direction == "R",
                bytes: if bytes == "-" { Vec::new() } else { super::unhex(bytes) },
                is_acknowledged: status == "ok",
            }
        })
        .collect()
}

/// The library, compiled once for this run of the tests.
fn library() -> &'static Path {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("i2c_dev.so");
        let fresh = library.with_extension(std::process::id().to_string());
        let mut gcc = Command::new("gcc");
        gcc.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o"]).arg(&fresh);
        run(gcc.arg(repository().join("tests/preload/i2c_dev.c")).args(["-ldl", "-lpthread"])).succeeded();
        // Another run may have the old one loaded; it keeps that.
        fs::rename(&fresh, &library).unwrap();
        library
    })
}
