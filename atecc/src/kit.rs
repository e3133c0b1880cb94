//! The far end of Microchip's kit protocol, version 1: lines of text, as their kits and their library's UART and
//! HID interfaces speak it.
//!
//! The library calls it `ATCA_UART_IFACE`. A host sends one line and waits for one line. What is known of it was
//! read on the wire of the vendor's library and is listed in docs/link.md. It has no checks beside the CRC-16 in the
//! chip's own packets and takes nine round trips for a signature; [`link`](crate::link) is the better way. It is
//! here so that tools built on that library can use the chip too.
//!
//! # What the chip remembers between lines
//!
//! In the vendor's protocol the host wakes the chip, sends a command, and idles it, which keeps TempKey and the
//! Message Digest Buffer for the next command. Here every line is a transaction of its own, from sleep to sleep, so
//! that nobody signs another's digest. For the one case that matters, a digest loaded with Nonce in fixed mode, the
//! far end keeps the Nonce back, answers it with success, and runs it in one transaction with the command that
//! follows: [`Session`]. Sequences that go on with what the chip itself drew (encrypted reads and writes) do not work
//! over text; the chip refuses them.

mod line;

use core::time::Duration;

use heapless::Vec;

pub use line::{Line, MAX_REPLY, Reply, device, parse, reply, status_reply};

use crate::{
    command::{Command, NonceFixed},
    packet::Packet,
};

/// How long a loaded digest waits for the command that uses it. An idle chip would keep it for ever; a host that
/// died in between must not leave it to the next.
pub const LOADED_LIMIT: Duration = Duration::from_secs(2);

/// The bits of Nonce's mode that say where the value comes from; three is fixed mode (section 5.1.4).
const NONCE_SOURCE: u8 = 0x03;

/// A host that speaks text: what it has loaded.
#[derive(Default)]
pub struct Session {
    loaded: Option<(Packet, Duration)>,
}

impl Session {
    /// With nothing loaded.
    pub const fn new() -> Self {
        Self { loaded: None }
    }

    /// Forgets what was loaded: the host put the chip to sleep, or somebody else talks.
    pub fn forget(&mut self) {
        self.loaded = None;
    }

    /// The transaction that `packet`, which came at `now`, belongs to; empty if it only loads, and is answered with
    /// success.
    pub fn transaction(&mut self, packet: Packet, now: Duration) -> Vec<Packet, 2> {
        let loaded = self.loaded.take();
        if packet.opcode() == NonceFixed::OPCODE && packet.param1() & NONCE_SOURCE == NONCE_SOURCE {
            self.loaded = Some((packet, now));
            return Vec::new();
        }
        let fresh = loaded.filter(|(_, since)| now.saturating_sub(*since) <= LOADED_LIMIT);
        fresh.into_iter().map(|(loaded, _)| loaded).chain([packet]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Slot,
        command::{DigestSource, NonceTarget, Random, SignExternal},
    };

    const LOAD: NonceFixed<'static> =
        NonceFixed { target: NonceTarget::MessageDigestBuffer, value: &[0x5a; 32] };
    const SIGN: SignExternal =
        SignExternal { key: Slot::PRIMARY_KEY, source: DigestSource::MessageDigestBuffer };

    #[test]
    fn a_digest_and_its_signature_are_one_transaction() {
        let mut session = Session::new();
        assert!(session.transaction(LOAD.packet(), Duration::ZERO).is_empty());
        let both = session.transaction(SIGN.packet(), LOADED_LIMIT);
        assert_eq!(both, [LOAD.packet(), SIGN.packet()]);
        // It is used up, as in the chip.
        assert_eq!(session.transaction(SIGN.packet(), LOADED_LIMIT), [SIGN.packet()]);
    }

    #[test]
    fn a_digest_is_forgotten_after_a_while_and_on_demand() {
        let mut session = Session::new();
        let _ = session.transaction(LOAD.packet(), Duration::ZERO);
        let late = LOADED_LIMIT + Duration::from_millis(1);
        assert_eq!(session.transaction(SIGN.packet(), late), [SIGN.packet()]);
        let _ = session.transaction(LOAD.packet(), Duration::ZERO);
        session.forget();
        assert_eq!(session.transaction(SIGN.packet(), Duration::ZERO), [SIGN.packet()]);
    }

    #[test]
    fn everything_else_runs_at_once() {
        let mut session = Session::new();
        assert_eq!(session.transaction(Random.packet(), Duration::ZERO), [Random.packet()]);
    }
}
