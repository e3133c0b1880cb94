//! When to ask a busy chip.
//!
//! What counts is the time from the moment that the answer is ready to the start of the read that gets it. A look
//! that comes too early costs none of it: it is over in 0.11 ms at 100 kHz, and the chip works on meanwhile. A
//! look that comes too late costs all of the difference. So the first look comes before the answer can be there,
//! and from then on no pause is longer than a fixed small part of the time that has passed.
//!
//! **The first look.** A chip has a middle of its own for each command, and a single call differs from it by a
//! fifth at most. Then the shortest call takes 2/3 (0.8 / 1.2) of the longest, and a look after 2/3 of the longest
//! time that was seen is never late. What is remembered as the longest is a time at which the chip was still busy,
//! so it is never more than the truth. Of a command that was not seen yet, half of the typical time passes.
//!
//! **The pauses.** 0.05 ms and 1/64 of the time since the command. So what one command loses is at most
//! 1/64 of its time, 0.05 ms, and the look (0.11 ms) before the pause. For a signature, three commands and
//! 16.0 ms of bus, with the 1.5 ms of the wake, that stays below a twentieth of chip and bus,
//!
//! ```text
//! chip/64 + 3 × 0.16 ms + 1.5 ms <= (chip + 16.0 ms)/20
//! ```
//!
//! whenever the three together take the chip 34.3 ms or more: less than half of what they typically take.
//!
//! **What it costs** is failed looks, some thirty per signature. None of them disturbs the chip. On Linux each is
//! a system call, and together they keep the bus busy for 3 ms while the chip works.

use crate::{command::ExecutionTime, packet::Packet, zone::ClockDivider};

/// How many kinds of command are remembered; a kind is an opcode with its mode.
const KINDS: usize = 16;
/// A look that met a busy chip: the address byte and its missing acknowledgement at 100 kHz, start and stop.
const POLL_US: u32 = 110;
/// The pause between two looks: a part of the time that has passed, and this.
const SHORTEST_PAUSE_US: u32 = 50;
/// The part of the time that has passed.
const PAUSE_PART: u32 = 64;

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
    longest_us: u32,
}

/// The looks at a chip that works on one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    /// Since the command was sent: pauses, and looks that met a busy chip.
    passed_us: u32,
    /// The same when a look last met a busy chip.
    busy_us: Option<u32>,
}

impl Looks {
    /// The first, `pause_us` after the command.
    pub(super) const fn after(pause_us: u32) -> Self {
        Self { passed_us: pause_us, busy_us: None }
    }

    /// This look met a busy chip: how long to wait until the next, in microseconds.
    pub(super) const fn busy(&mut self) -> u32 {
        self.busy_us = Some(self.passed_us);
        self.passed_us = self.passed_us.saturating_add(POLL_US);
        let pause = SHORTEST_PAUSE_US + self.passed_us / PAUSE_PART;
        self.passed_us = self.passed_us.saturating_add(pause);
        pause
    }
}

impl Timing {
    /// Nothing is known but the tables.
    pub(super) const fn new(divider: ClockDivider) -> Self {
        Self { divider, kinds: [None; KINDS], oldest: 0 }
    }

    /// How long after the command to look first.
    pub(super) fn first_look_us(&self, packet: &Packet) -> u32 {
        match self.kind(packet) {
            Some(kind) => kind.longest_us - kind.longest_us / 3,
            None => self.typical_us(packet) / 2,
        }
    }

    /// How long the command is likely to take.
    pub(super) fn expected_us(&self, packet: &Packet) -> u32 {
        self.kind(packet).map_or_else(|| self.typical_us(packet), |kind| kind.longest_us)
    }

    /// When to give up.
    pub(super) fn longest_us(&self, packet: &Packet) -> u32 {
        ExecutionTime::of(packet.opcode()).longest_us(self.divider)
    }

    /// The chip was ready at the last of these `looks`.
    ///
    /// A longer time is believed at once, a shorter one by a sixteenth: an outlier does not stay for ever, and
    /// until then the looks begin too early, which costs no time. A chip that was ready at the first look may
    /// have been so for long, so the next first look comes a third earlier.
    pub(super) fn observe(&mut self, packet: &Packet, looks: Looks) {
        let seen = looks.busy_us.unwrap_or(looks.passed_us).min(self.longest_us(packet));
        let longest_us = match self.kind(packet) {
            Some(kind) if looks.busy_us.is_some() && seen < kind.longest_us => {
                kind.longest_us - (kind.longest_us - seen) / 16
            }
            _ => seen,
        };
        let learnt = Kind { opcode: packet.opcode(), mode: packet.param1(), longest_us };
        let known = self.kinds.iter().position(|kind| kind.is_none_or(|kind| kind.is_of(packet)));
        let place = known.unwrap_or_else(|| {
            self.oldest = (self.oldest + 1) % KINDS;
            self.oldest
        });
        if let Some(kind) = self.kinds.get_mut(place) {
            *kind = Some(learnt);
        }
    }

    /// What the tables say, scaled from the fastest clock to that of the chip.
    fn typical_us(&self, packet: &Packet) -> u32 {
        let time = ExecutionTime::of(packet.opcode());
        let [fastest, ..] = time.longest_ms;
        let scaled = u64::from(time.typical_us) * u64::from(time.longest_us(self.divider));
        u32::try_from(scaled / (u64::from(fastest.max(1)) * 1_000)).unwrap_or(time.typical_us)
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
    extern crate std;

    use super::*;

    fn sign() -> Packet {
        Packet::new(0x41, 0xa0, 0x0000, &[], 64)
    }

    /// Asks a chip that is ready after `ready_us`; gives how late that was noticed, and in how many looks.
    fn ask(timing: &mut Timing, ready_us: u32) -> (u32, u32) {
        let mut looks = Looks::after(timing.first_look_us(&sign()));
        let mut count = 1;
        while looks.passed_us < ready_us {
            looks.busy();
            count += 1;
        }
        timing.observe(&sign(), looks);
        (looks.passed_us - ready_us, count)
    }

    #[test]
    fn a_slow_clock_is_asked_later_from_the_start() {
        let first = |divider| Timing::new(divider).first_look_us(&sign());
        assert_eq!(first(ClockDivider::M0), 30_000);
        // 30 ms times 665 over 115.
        assert_eq!(first(ClockDivider::M2), 173_478);
    }

    #[test]
    fn nothing_that_is_learnt_exceeds_the_longest_time() {
        let mut timing = Timing::new(ClockDivider::M0);
        for looks in [Looks::after(u32::MAX), Looks { passed_us: u32::MAX, busy_us: Some(u32::MAX) }] {
            timing.observe(&sign(), looks);
            assert_eq!(timing.expected_us(&sign()), 115_000);
        }
        for _ in 0..1_000 {
            let first = timing.first_look_us(&sign());
            timing.observe(&sign(), Looks::after(first));
        }
        assert!(timing.first_look_us(&sign()) < 10);
    }

    /// Every call, the first included, of chips between half and nearly twice of typical, whose calls vary by a
    /// fifth in any order.
    #[test]
    fn no_look_is_later_than_the_promise() {
        for chip_us in (40_000_u32..=95_000).step_by(1_111) {
            let mut timing = Timing::new(ClockDivider::M0);
            for call in 0..500_u32 {
                // Shortest and longest, and everything between, with jumps.
                let part = match call % 4 {
                    0 => 800,
                    1 => 1_200,
                    _ => 800 + call * 379 % 401,
                };
                let ready = chip_us / 1_000 * part;
                let (late, looks) = ask(&mut timing, ready);
                assert!(late <= ready / 64 + 50 + 115, "{late} us late after {ready} us");
                assert!(looks <= 70, "{looks} looks");
            }
        }
    }

    #[test]
    fn a_chip_that_got_faster_is_met_on_time_again() {
        let mut timing = Timing::new(ClockDivider::M0);
        let _ = ask(&mut timing, 100_000);
        let late: std::vec::Vec<u32> = (0..4).map(|_| ask(&mut timing, 40_000).0).collect();
        // Longest was 100 ms, so the first look comes after 66 ms, then 44 ms, then in time.
        assert!(late[0] > 20_000 && late[2..].iter().all(|&late| late <= 800), "{late:?}");
    }

    #[test]
    fn an_outlier_is_forgotten() {
        let mut timing = Timing::new(ClockDivider::M0);
        let _ = ask(&mut timing, 75_000);
        for _ in 0..100 {
            let _ = ask(&mut timing, 60_000);
        }
        assert!((58_000..=61_500).contains(&timing.expected_us(&sign())), "{timing:?}");
    }

    #[test]
    fn more_kinds_than_there_is_room_for_push_out_the_oldest() {
        let mut timing = Timing::new(ClockDivider::M0);
        let packet = |mode| Packet::new(0x41, mode, 0x0000, &[], 64);
        for mode in 0..100 {
            timing.observe(&packet(mode), Looks::after(48_000));
        }
        assert_eq!(timing.first_look_us(&packet(0)), 30_000);
        assert_eq!(timing.first_look_us(&packet(99)), 32_000);
    }
}
