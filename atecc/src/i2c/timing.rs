//! When to ask a busy chip, learnt from when it was ready.
//!
//! What counts is the time from the end of the command to the start of the read that gets its answer. A look
//! that comes too early costs no time: it is over in 0.11 ms at 100 kHz, and the chip works on meanwhile. A
//! look that comes too late costs all of the difference. So the first look comes near the shortest time that
//! was seen and not near the mean, and then the loss is half of an interval, which is kept below a percent of
//! the command's time.

use crate::{command::ExecutionTime, packet::Packet, zone::ClockDivider};

/// How many kinds of command are remembered; a kind is an opcode with its mode.
const KINDS: usize = 16;
/// A look that met a busy chip: the address byte and its missing acknowledgement at 100 kHz, start and stop.
const POLL_US: u32 = 110;
/// Pause between two looks before anything is known, and the longest after that.
const LONGEST_INTERVAL_US: u32 = 1_000;
/// The shortest pause, to leave the bus to others.
const SHORTEST_INTERVAL_US: u32 = 200;

/// The times of one chip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    divider: ClockDivider,
    kinds: [Option<Kind>; KINDS],
    /// Which kind makes room for the next new one.
    oldest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    opcode: u8,
    mode: u8,
    first_look_us: u32,
}

impl Timing {
    /// Nothing is known but the tables.
    pub(super) const fn new(divider: ClockDivider) -> Self {
        Self { divider, kinds: [None; KINDS], oldest: 0 }
    }

    /// How long after the command to look first.
    pub(super) fn first_look_us(&self, packet: &Packet) -> u32 {
        match self.kind(packet) {
            Some(kind) => kind.first_look_us,
            None => {
                let time = ExecutionTime::of(packet.opcode());
                let [fastest, ..] = time.longest_ms;
                let scaled = u64::from(time.typical_us) * u64::from(time.longest_us(self.divider));
                u32::try_from(scaled / (u64::from(fastest.max(1)) * 1_000)).unwrap_or(time.typical_us)
            }
        }
    }

    /// How long to wait between two looks.
    pub(super) fn interval_us(&self, packet: &Packet) -> u32 {
        self.kind(packet).map_or(LONGEST_INTERVAL_US, |kind| {
            (kind.first_look_us / 64).clamp(SHORTEST_INTERVAL_US, LONGEST_INTERVAL_US)
        })
    }

    /// When to give up.
    pub(super) fn longest_us(&self, packet: &Packet) -> u32 {
        ExecutionTime::of(packet.opcode()).longest_us(self.divider)
    }

    /// The chip was ready after delays of `waited_us` and `polls` looks that met it busy.
    ///
    /// If it was ready at the first look, an eighth earlier next time; else a sixteenth of the difference
    /// later. For times spread evenly over ±20 % the first look settles near -16 %, and for constant ones
    /// just before them.
    pub(super) fn observe(&mut self, packet: &Packet, waited_us: u32, polls: u32) {
        let first = self.first_look_us(packet);
        let ready = waited_us.saturating_add(polls.saturating_mul(POLL_US));
        let next = if polls == 0 { first - first / 8 } else { first + ready.saturating_sub(first) / 16 };
        let next = next.min(self.longest_us(packet));
        let learnt = Kind { opcode: packet.opcode(), mode: packet.param1(), first_look_us: next };
        let known = self.kinds.iter().position(|kind| kind.is_none_or(|kind| kind.is_of(packet)));
        let place = known.unwrap_or_else(|| {
            self.oldest = (self.oldest + 1) % KINDS;
            self.oldest
        });
        if let Some(kind) = self.kinds.get_mut(place) {
            *kind = Some(learnt);
        }
    }

    fn kind(&self, packet: &Packet) -> Option<&Kind> {
        self.kinds.iter().flatten().find(|kind| kind.is_of(packet))
    }
}

impl Kind {
    fn is_of(&self, packet: &Packet) -> bool {
        self.opcode == packet.opcode() && self.mode == packet.param1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign() -> Packet {
        Packet::new(0x41, 0xa0, 0x0000, &[], 64)
    }

    #[test]
    fn a_slow_clock_is_asked_later_from_the_start() {
        let first = |divider| Timing::new(divider).first_look_us(&sign());
        assert_eq!(first(ClockDivider::M0), 48_000);
        // 48 ms times 665 over 115.
        assert_eq!(first(ClockDivider::M2), 277_565);
    }

    #[test]
    fn nothing_that_is_learnt_exceeds_the_longest_time() {
        let mut timing = Timing::new(ClockDivider::M0);
        for _ in 0..1_000 {
            timing.observe(&sign(), u32::MAX, u32::MAX);
        }
        assert_eq!(timing.first_look_us(&sign()), 115_000);
        for _ in 0..1_000 {
            timing.observe(&sign(), 0, 0);
        }
        assert!(timing.first_look_us(&sign()) < 10);
        assert_eq!(timing.interval_us(&sign()), SHORTEST_INTERVAL_US);
    }

    #[test]
    fn a_chip_that_always_takes_the_same_time_is_met_on_time() {
        let mut timing = Timing::new(ClockDivider::M0);
        let mut late = 0;
        for _ in 0..1_000 {
            let (mut at, mut polls) = (timing.first_look_us(&sign()), 0);
            while at + polls * POLL_US < 60_000 {
                at += timing.interval_us(&sign());
                polls += 1;
            }
            late += at + polls * POLL_US - 60_000;
            timing.observe(&sign(), at, polls);
        }
        assert!(late / 1_000 < 700, "{} us late", late / 1_000);
    }

    #[test]
    fn more_kinds_than_there_is_room_for_push_out_the_oldest() {
        let mut timing = Timing::new(ClockDivider::M0);
        let packet = |mode| Packet::new(0x41, mode, 0x0000, &[], 64);
        for mode in 0..100 {
            timing.observe(&packet(mode), 48_000, 0);
        }
        assert_eq!(timing.first_look_us(&packet(0)), 48_000);
        assert_eq!(timing.first_look_us(&packet(99)), 42_000);
    }
}
