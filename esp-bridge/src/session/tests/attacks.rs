//! Anything in any order, beside a second account of what was shown and allowed.

use std::vec::Vec;

use super::*;

/// Repeatable numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn some(&mut self, alphabet: &[Packet], most: usize) -> Vec<Packet> {
        let count = 1 + self.below(most);
        (0..count).map(|_| alphabet[self.below(alphabet.len())].clone()).collect()
    }
}

const DIGEST: [u8; 32] = [0x5a; 32];

/// Commands that do something or prepare it, and some that differ where it is not shown.
fn alphabet() -> Vec<Packet> {
    let mut similar = DIGEST;
    similar[31] ^= 1;
    let mut packets: Vec<Packet> = packets(0).into();
    packets.extend([
        Packet::new(0x16, 0x43, 0, &[&similar], 1),
        Packet::new(0x16, 0x03, 0, &[&similar], 1),
        Packet::new(0x41, 0x80, 0, &[], 64),
        Packet::new(0x41, 0xa0, 2, &[], 64),
        Packet::new(0x43, 0x0c, 0, &[&[1; 64]], 32),
        Packet::new(0x43, 0x0c, 0, &[], 32),
        Packet::new(0x43, 0x0e, 0, &[&[1; 64]], 32),
        Packet::new(0x02, 0x80, 0, &[], 32),
        Packet::new(0x12, 0x82, 8 << 3, &[&[2; 32]], 1),
        Packet::new(0x12, 0x82, 8 << 3, &[], 1),
        Packet::new(0x17, 0x00, 0, &[], 1),
    ]);
    packets
}

/// What the chip would sign: by mode, as the data sheet has it.
#[derive(Clone, Copy, Default)]
struct Buffers {
    temp_key: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
}

impl Buffers {
    fn run(&mut self, packet: &Packet) {
        let loaded = packet.data().first_chunk().copied();
        match (packet.opcode(), packet.param1()) {
            (0x16, 0x03) => self.temp_key = loaded,
            (0x16, 0x43) => self.digest = loaded,
            (0x02, _) => {}
            _ => *self = Self::default(),
        }
    }

    fn signed(&self, packet: &Packet) -> Option<[u8; 32]> {
        match (packet.opcode(), packet.param1()) {
            (0x41, 0x80) => self.temp_key,
            (0x41, 0xa0) => self.digest,
            _ => None,
        }
    }
}

fn is_use(packet: &Packet) -> bool {
    matches!(packet.opcode(), 0x41 | 0x43 | 0x12 | 0x17)
}

/// Those of `packets` that do something, with what they sign, in a chip with these `buffers`.
fn uses(packets: &[Packet], mut buffers: Buffers) -> Vec<(Packet, Option<[u8; 32]>)> {
    let mut uses = Vec::new();
    for packet in packets {
        if is_use(packet) {
            uses.push((packet.clone(), buffers.signed(packet)));
        }
        buffers.run(packet);
    }
    uses
}

#[test]
fn whatever_is_said_nothing_is_done_that_was_not_allowed() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let alphabet = alphabet();
    let mut session = ready(TouchPolicy::Always);
    let (mut now, mut buffers) = (START, Buffers::default());
    // What was allowed and is still to come.
    let mut granted: Vec<(Packet, Option<[u8; 32]>)> = Vec::new();
    let (mut asked, mut kept, mut late) = (0, 0, 0);
    for _ in 0..200_000 {
        now += Duration::from_millis(500);
        if random.below(50) == 0 {
            session.idle(press(Meaning::Unlock, now), now);
        }
        if random.below(20) == 0 {
            session.handed_over();
            (granted, buffers) = (Vec::new(), Buffers::default());
        }
        let (origin, most) = [
            (Origin::Transaction, 3),
            (Origin::Kit, 2),
            (Origin::LeaseBegin, 4),
            (Origin::LeaseNext, 1),
            (Origin::LeaseNext, 1),
            (Origin::LeaseNext, 1),
        ][random.below(6)];
        let packets = random.some(&alphabet, most);
        if origin != Origin::LeaseNext {
            (granted, buffers) = (Vec::new(), Buffers::default());
        }
        let wanted = uses(&packets, buffers);
        let mut answer = session.request(&packets, origin, now);
        let was_asked = answer == Answer::Wait;
        if was_asked {
            assert!(origin != Origin::LeaseNext, "the chip is awake");
            let State::Asking(shown) = session.state() else { panic!("{:?}", session.state()) };
            assert_eq!(usize::from(shown.count), wanted.len(), "{packets:?}");
            asked += 1;
            now += 2 * GUARD;
            match random.below(3) {
                0 => session.withdraw(Refusal::Cancelled, now),
                1 => answer = session.answer(&packets, press(Meaning::Refuse, now), now),
                _ => answer = session.answer(&packets, press(Meaning::Allow, now), now),
            }
        }
        late += usize::from(answer == Answer::No(Refusal::TooLateToAsk));
        if answer != Answer::Go {
            continue;
        }
        let executed = if origin == Origin::LeaseBegin { &packets[..1] } else { &packets[..] };
        if origin != Origin::LeaseNext {
            assert!(was_asked || wanted.is_empty(), "nobody was asked: {packets:?}");
            granted = wanted;
        }
        for (packet, digest) in uses(executed, buffers) {
            let position = granted.iter().position(|(allowed, of)| {
                let is_whole = *allowed == packet;
                let is_open =
                    allowed.data().is_empty() && allowed.as_bytes()[1..5] == packet.as_bytes()[1..5];
                *of == digest && (is_whole || is_open)
            });
            let position = position.unwrap_or_else(|| panic!("{packet:?} of {digest:02x?}: {granted:02x?}"));
            granted.remove(position);
            kept += usize::from(origin == Origin::LeaseNext);
        }
        executed.iter().for_each(|packet| buffers.run(packet));
        session.done(true, now);
    }
    assert!(asked > 1_000 && kept > 100 && late > 1_000, "{asked} {kept} {late}");
}
