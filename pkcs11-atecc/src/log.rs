//! One line on stderr for what a return value cannot say, if the user asked for it with `ATECC_LOG`.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Where the module's messages go. Never to stdout, which belongs to the application.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    enabled: bool,
}

impl Log {
    /// Messages go to stderr if the variable has a value other than the empty one, `off` and `0`.
    pub(crate) fn from_environment() -> Self {
        let enabled = std::env::var_os("ATECC_LOG")
            .is_some_and(|level| !["", "0", "off"].iter().any(|silent| level.eq_ignore_ascii_case(silent)));
        Self { enabled }
    }

    /// Writes one message.
    pub(crate) fn warn(self, message: impl Display) {
        if self.enabled {
            // Not eprintln!, which panics when stderr is closed: that is the application's good right.
            let _ = writeln!(io::stderr().lock(), "pkcs11-atecc: {message}");
        }
    }
}
