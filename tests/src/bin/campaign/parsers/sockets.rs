//! Both ends of the socket that shares an emulated bus.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use atecc::packet::Packet;
use atecc_emulator::{
    Bus, Chip, Clock, Pace, provision,
    socket::{Server, SocketBus},
};
use embedded_hal::{delay::DelayNs, i2c::I2c};
use tempfile::TempDir;

use super::{
    super::Random,
    Parser,
    mutate::{mutant, pick},
};

/// What a served bus says first.
const GREETING: &[u8] = b"ATECC-EMULATOR I2C BUS 1";
/// Longer than an answer can take that does not hang.
const PATIENCE: Duration = Duration::from_secs(2);
/// Visits between two of somebody who speaks the language.
const CHECKED_EVERY: u64 = 1_000;

pub(super) fn requests() -> Result<Box<dyn Parser>, String> {
    struct Requests {
        seeds: Vec<Vec<u8>>,
        server: Arc<Server>,
        socket: PathBuf,
        clock: Clock,
        visits: u64,
        _folder: TempDir,
    }

    impl Parser for Requests {
        /// Up to six requests, one behind the other.
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut all = Vec::new();
            for _ in 0..1 + random.below(6) {
                if random.below(2) == 0 {
                    all.extend_from_slice(pick::<Vec<u8>>(random, &self.seeds));
                } else {
                    all.extend(mutant(random, &self.seeds, 3_000));
                }
            }
            all
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            self.visits += 1;
            if self.visits.is_multiple_of(CHECKED_EVERY) {
                self.check()?;
            }
            self.visit(input).map(|answer| !answer.is_empty()).map_err(|error| error.to_string())
        }
    }

    impl Requests {
        /// Sends `input`, and reads until the server hangs up or has nothing more to say.
        fn visit(&self, input: &[u8]) -> io::Result<Vec<u8>> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let mut greeting = [0; GREETING.len()];
            stream.read_exact(&mut greeting)?;
            // The server may hang up before it has read all of it.
            let _ = stream.write_all(input);
            let _ = stream.shutdown(Shutdown::Write);
            let mut answer = Vec::new();
            match stream.read_to_end(&mut answer) {
                Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
                _ => Ok(answer),
            }
        }

        /// A chip is still there.
        fn check(&mut self) -> Result<(), String> {
            let mut bus = SocketBus::connect(&self.socket).map_err(|error| error.to_string())?;
            let _ = bus.write(0x35, &[0x01]);
            let _ = bus.write(0x00, &[0x00]);
            self.clock.delay_us(1_500);
            let mut answer = [0; 4];
            bus.read(0x35, &mut answer).map_err(|error| error.to_string())?;
            if answer == [0x04, 0x11, 0x33, 0x43] { Ok(()) } else { Err(format!("woke with {answer:02x?}")) }
        }
    }

    impl Drop for Requests {
        fn drop(&mut self) {
            self.server.stop();
        }
    }

    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let socket = folder.path().join("bus.sock");
    let server = Arc::new(Server::bind(&socket).map_err(|error| error.to_string())?);
    let eeprom = provision::tng_tls().map_err(|error| error.to_string())?;
    let bus = Bus::new(Chip::new(eeprom, Pace::Instant), Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let clock = bus.clock();
    let running = Arc::clone(&server);
    thread::spawn(move || running.run(bus));
    Ok(Box::new(Requests { seeds: valid_requests(), server, socket, clock, visits: 0, _folder: folder }))
}

/// Requests as a driver makes them (the module `wire` of the emulator says how).
fn valid_requests() -> Vec<Vec<u8>> {
    let write = |address: u8, bytes: &[u8]| {
        let [low, high] = (bytes.len() as u16).to_le_bytes();
        [&[address, 1, 0, low, high], bytes].concat()
    };
    let read = |length: u16| {
        let [low, high] = length.to_le_bytes();
        vec![0x35, 1, 1, low, high]
    };
    let command = |opcode, mode, data: &[u8]| {
        let packet = Packet::new(opcode, mode, 0, &[data], 64);
        write(0x35, &[&[0x03], packet.as_bytes()].concat())
    };
    vec![
        write(0x00, &[0x00]),
        read(4),
        command(0x1b, 0x00, &[]),
        read(35),
        command(0x16, 0x43, &[0x5a; 32]),
        command(0x30, 0x00, &[]),
        read(7),
        write(0x35, &[0x01]),
        write(0x35, &[0x02]),
        // Two operations with a repeated start, eight, and the longest.
        vec![0x35, 2, 0, 1, 0, 0x00, 1, 4, 0],
        [&[0x35, 8][..], &[1, 1, 0].repeat(8)].concat(),
        write(0x35, &[0x03; 1_024]),
        read(1_024),
    ]
}

pub(super) fn answers() -> Result<Box<dyn Parser>, String> {
    /// A server that says what it is told to, one client after the other.
    struct Answers {
        scripts: mpsc::Sender<Vec<u8>>,
        seeds: Vec<Vec<u8>>,
        socket: PathBuf,
        _folder: TempDir,
    }

    impl Parser for Answers {
        /// A greeting and some answers.
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut said = GREETING.to_vec();
            if random.below(8) == 0 {
                said = mutant(random, &[said], 40);
            }
            for _ in 0..random.below(5) {
                if random.below(2) == 0 {
                    said.extend_from_slice(pick::<Vec<u8>>(random, &self.seeds));
                } else {
                    said.extend(mutant(random, &self.seeds, 1_100));
                }
            }
            said
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            self.scripts.send(input.to_vec()).map_err(|_| "the server has gone")?;
            let Ok(mut bus) = SocketBus::connect(&self.socket) else { return Ok(false) };
            let (mut short, mut long) = ([0; 4], [0; 64]);
            let results = [
                bus.write(0x00, &[0x00]).is_ok(),
                bus.read(0x35, &mut short).is_ok(),
                bus.write_read(0x35, &[0x00], &mut long).is_ok(),
            ];
            Ok(results.contains(&true))
        }
    }

    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let socket = folder.path().join("bus.sock");
    let listener = UnixListener::bind(&socket).map_err(|error| error.to_string())?;
    let (scripts, said) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        // A client that finds its stream broken calls again, and is heard out as well.
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let script = match said.try_recv() {
                Ok(script) => script,
                Err(mpsc::TryRecvError::Empty) => Vec::new(),
                Err(mpsc::TryRecvError::Disconnected) => return,
            };
            // The client may have gone.
            let _ = stream.write_all(&script);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(&mut stream, &mut io::sink());
        }
    });
    let seeds =
        vec![vec![0x00], vec![0x01], vec![0x00, 0x04, 0x11, 0x33, 0x43], [&[0x00][..], &[0xff; 64]].concat()];
    Ok(Box::new(Answers { scripts, seeds, socket, _folder: folder }))
}
