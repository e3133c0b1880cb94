//! The far end of a serial line: the bridge protocol with an emulated chip behind it, on a Unix socket.
//!
//! `kernel-serial EEPROM SOCKET` makes SOCKET and serves the one who connects, until that one goes. QEMU does, and shows
//! the guest's kernel a USB serial adapter whose bytes come and go there.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use atecc::{
    i2c::I2cTransport,
    link::{About, Open, Server, Stream},
};
use atecc_emulator::{Bus, Chip, Clock, EepromFile, Pace};
use clap::Parser;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The far end of a serial line: the bridge protocol with an emulated chip behind it, on a Unix socket.
#[derive(Debug, Parser)]
#[command(name = "kernel-serial")]
struct Arguments {
    /// The file of the chip.
    eeprom: PathBuf,
    /// Is made, and served to the one who connects until that one goes.
    socket: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { eeprom, socket } = Arguments::parse();
    match serve(&eeprom, &socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernel-serial: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(eeprom: &Path, socket: &Path) -> Result<()> {
    let chip = Chip::from_file(EepromFile::open(eeprom, Duration::ZERO)?, Pace::Typical);
    let (address, clock) = (chip.i2c_address(), Clock::real());
    let bus = Bus::new(chip, clock.clone(), Bus::STANDARD_HERTZ);
    let mut transport = I2cTransport::new(bus, clock, address);
    let (stream, _) = UnixListener::bind(socket)?.accept()?;
    let mut line = Line { stream, start: Instant::now() };
    let about = About { name: "serial line of the tests", is_emulated: true, ..About::default() };
    let mut server = Server::new(about);
    loop {
        match server.poll(&mut line, &mut transport, &mut Open) {
            Ok(_) => {}
            Err(error) => return if is_end(&error) { Ok(()) } else { Err(error.into()) },
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

struct Line {
    stream: UnixStream,
    start: Instant,
}

impl Stream for Line {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match self.stream.read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    /// Whether the line can run at `rate`. QEMU passes bytes on as they come, at any.
    fn has_rate(&mut self, rate: u32) -> bool {
        rate <= 921_600
    }

    fn set_rate(&mut self, _rate: u32) -> io::Result<()> {
        Ok(())
    }
}
