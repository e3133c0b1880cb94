//! Replicas of chips that were sold: all that is public about them, and so everything but their private keys.

use std::{path::PathBuf, sync::Arc, thread};

use atecc::{PublicKey, Slot};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace, socket::Server};
use tempfile::TempDir;

/// A chip on a served bus that answers GenKey for slot 0 with a public key whose private key nobody here has.
pub(super) struct Replica {
    pub(super) socket: PathBuf,
    server: Arc<Server>,
    folder: TempDir,
}

impl Replica {
    pub(super) fn new(eeprom: Eeprom, public_key: PublicKey) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus.sock");
        let server = Arc::new(Server::bind(&socket).unwrap());
        let chip = Chip::replaying(eeprom, &[(Slot::PRIMARY_KEY, public_key)], Pace::Typical);
        let bus = Bus::new(chip, Clock::real(), Bus::STANDARD_HERTZ);
        let running = Arc::clone(&server);
        // It ends when the replica is dropped.
        thread::spawn(move || running.run(bus));
        Self { socket, server, folder }
    }

    /// A file that goes with the replica.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.server.stop();
    }
}
