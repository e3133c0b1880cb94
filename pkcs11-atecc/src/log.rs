//! What a return value cannot say, if the user asked for it with `ATECC_LOG`: one line on stderr, or in the log of
//! the system.

use std::{
    ffi::OsStr,
    fmt::Display,
    io::{self, Write as _},
    os::unix::net::UnixDatagram,
    path::Path,
};

/// Where the module's messages go. Never to stdout, which belongs to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// Nowhere.
    Off,
    /// To stderr.
    Stderr,
    /// To the log daemon of the system, for services whose stderr nobody reads.
    Syslog,
}

impl Log {
    /// As the variable says: `syslog`; nothing if it is empty, `off` or `0`; stderr for any other value. In a
    /// process with more rights than its caller it is not read.
    pub(crate) fn from_environment() -> Self {
        Self::parse(&atecc_token::trusted_variable("ATECC_LOG").unwrap_or_default())
    }

    fn parse(value: &OsStr) -> Self {
        let is = |name: &str| value.eq_ignore_ascii_case(name);
        if is("") || is("0") || is("off") {
            Self::Off
        } else if is("syslog") {
            Self::Syslog
        } else {
            Self::Stderr
        }
    }

    /// Writes one message. Where it cannot be written it is lost: a log is no reason to fail.
    pub(crate) fn warn(self, message: impl Display) {
        match self {
            Self::Off => (),
            // Not eprintln!, which panics when stderr is closed: that is the application's good right.
            Self::Stderr => drop(writeln!(io::stderr().lock(), "{NAME}: {message}")),
            Self::Syslog => drop(send(Path::new("/dev/log"), &message)),
        }
    }
}

const NAME: &str = env!("CARGO_PKG_NAME");
/// Facility user (1), severity warning (4): 8 * 1 + 4 (RFC 3164, section 4.1.1).
const PRIORITY: u8 = 12;

/// Sends one message to the daemon that listens on `socket`. It adds the time itself.
fn send(socket: &Path, message: &impl Display) -> io::Result<()> {
    let daemon = UnixDatagram::unbound()?;
    // A daemon that does not keep up must not hold up the application.
    daemon.set_nonblocking(true)?;
    let line = format!("<{PRIORITY}>{NAME}[{}]: {message}", std::process::id());
    daemon.send_to(line.as_bytes(), socket).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_chooses_the_place() {
        for (value, place) in [
            ("", Log::Off),
            ("0", Log::Off),
            ("OFF", Log::Off),
            ("syslog", Log::Syslog),
            ("warn", Log::Stderr),
            ("1", Log::Stderr),
        ] {
            assert_eq!(Log::parse(OsStr::new(value)), place, "{value:?}");
        }
    }

    #[test]
    fn the_log_daemon_gets_one_datagram_per_message() {
        let folder = std::env::temp_dir().join(format!("{NAME}-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("log");
        let daemon = UnixDatagram::bind(&socket).unwrap();
        send(&socket, &"no chip").unwrap();
        let mut line = [0; 200];
        let length = daemon.recv(&mut line).unwrap();
        let expected = format!("<12>pkcs11-atecc[{}]: no chip", std::process::id());
        assert_eq!(String::from_utf8_lossy(&line[..length]), expected);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(send(&socket, &"nobody listens").is_err());
    }
}
