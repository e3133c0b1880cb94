//! Many users of one shared bus, in real time, for as long as there is time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use atecc::Slot;
use atecc_emulator::{Bus, Chip, Clock, Pace, provision, socket::Server};
use atecc_token::{DeviceSpec, Token};

use super::{Random, Report};

/// Tokens, each with a connection and a lock handle of its own, as so many processes would have.
const USERS: u64 = 8;

pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let socket = folder.path().join("bus.sock");
    let server = Server::bind(&socket).map_err(|error| error.to_string())?;
    let eeprom = provision::tng_tls().map_err(|error| error.to_string())?;
    let bus = Bus::new(Chip::new(eeprom, Pace::Typical), Clock::real(), Bus::STANDARD_HERTZ);
    let spec: DeviceSpec = format!("emulator:unix:{}", socket.display())
        .parse()
        .map_err(|error: atecc_token::SpecError| error.to_string())?;

    let signed = AtomicU64::new(0);
    let longest = AtomicU64::new(0);
    let problem = thread::scope(|scope| {
        scope.spawn(|| server.run(bus));
        let users: Vec<_> = (0..USERS)
            .map(|_| {
                let mut random = Random(random.next() | 1);
                let (spec, signed, longest) = (&spec, &signed, &longest);
                scope.spawn(move || -> Result<(), String> {
                    while Instant::now() < end {
                        let token = Token::open(spec).map_err(|error| error.to_string())?;
                        for _ in 0..1 + random.below(20) {
                            let mut digest = [0; 32];
                            digest[..8].copy_from_slice(&random.next().to_be_bytes());
                            let start = Instant::now();
                            token.sign(Slot::PRIMARY_KEY, &digest).map_err(|error| error.to_string())?;
                            signed.fetch_add(1, Ordering::Relaxed);
                            longest.fetch_max(start.elapsed().as_millis() as u64, Ordering::Relaxed);
                        }
                        thread::sleep(Duration::from_millis(random.below(50) as u64));
                    }
                    Ok(())
                })
            })
            .collect();
        let results: Vec<_> = users.into_iter().map(thread::ScopedJoinHandle::join).collect();
        server.stop();
        results.into_iter().find_map(|result| match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some("a user panicked".into()),
        })
    });
    match problem {
        Some(problem) => Err(problem),
        None => Ok(format!(
            "{} signatures by {USERS} users of one bus, each verified, the longest wait {} ms",
            signed.load(Ordering::Relaxed),
            longest.load(Ordering::Relaxed)
        )),
    }
}
