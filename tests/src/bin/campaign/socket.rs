//! Garbage on the socket of a served bus: each visitor is dropped or answered, and the bus goes on.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant},
};

use atecc::Slot;
use atecc_emulator::{Bus, Chip, Clock, Pace, provision, socket::Server};
use atecc_token::{DeviceSpec, SpecError, Token};

use super::{Random, Report};

pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let socket = folder.path().join("bus.sock");
    let server = Server::bind(&socket).map_err(|error| error.to_string())?;
    let eeprom = provision::tng_tls().map_err(|error| error.to_string())?;
    // In real time, as its users live in: they do not share a virtual clock with a served bus.
    let bus = Bus::new(Chip::new(eeprom, Pace::Instant), Clock::real(), Bus::STANDARD_HERTZ);
    thread::scope(|scope| {
        scope.spawn(|| server.run(bus));
        let mut visits = 0_u64;
        let mut result = Ok(());
        while Instant::now() < end && result.is_ok() {
            visits += 1;
            result = visit(&socket, &random.bytes(3_000)).map_err(|error| error.to_string());
        }
        // It still serves who speaks its language.
        let signed = format!("emulator:unix:{}", socket.display())
            .parse()
            .map_err(|error: SpecError| error.to_string())
            .and_then(|spec: DeviceSpec| Token::open(&spec).map_err(|error| error.to_string()))
            .and_then(|token| token.sign(Slot::PRIMARY_KEY, &[0x5a; 32]).map_err(|error| error.to_string()));
        server.stop();
        result?;
        signed.map(|_| format!("{visits} visitors with garbage, and the bus signs after them"))
    })
}

/// Sends `garbage`, and reads until the server hangs up or has nothing more to say.
fn visit(socket: &std::path::Path, garbage: &[u8]) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // The server may hang up before it has read all of it.
    let _ = stream.write_all(garbage);
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(()),
    }
}
