//! Leases: packets that depend on answers.

use std::{io, os::unix::net::UnixStream, time::Instant};

use super::*;

pub(super) fn random() -> Packet {
    Packet::new(0x1b, 0, 0, &[], 32)
}

/// A socket: here both ends must run at the same time.
pub(super) struct Socket(pub(super) UnixStream, pub(super) Instant);

impl Stream for Socket {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match io::Read::read(&mut self.0, buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.0, bytes)
    }

    fn now(&mut self) -> Duration {
        self.1.elapsed()
    }
}

/// Runs `test` with a client whose far end, behind `gate`, runs in another thread, and returns what the chip was asked.
pub(super) fn apart<G: Gate + Send>(gate: G, test: impl FnOnce(&mut Client<Socket>)) -> Vec<Packet> {
    let (near, far) = UnixStream::pair().unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let serving = scope.spawn(move || {
            let mut chip = Chip::default();
            serve(Socket(far, start), &mut chip, gate, ABOUT);
            chip.asked
        });
        let mut client = Client::new(Socket(near, start), 1);
        test(&mut client);
        drop(client);
        serving.join().unwrap()
    })
}

/// Holds a lease for `packets`, after `pause` each, and returns the lengths of the answers.
pub(super) fn hold(
    client: &mut Client<Socket>,
    packets: Vec<Packet>,
    pause: Duration,
) -> Result<Vec<usize>, Error<io::Error>> {
    let mut packets = packets.into_iter();
    let mut lengths = Vec::new();
    client.converse(&[], &mut (), &mut |answer| {
        if let Some(answer) = answer {
            lengths.push(answer.data().len());
            std::thread::sleep(pause);
        }
        packets.next()
    })?;
    Ok(lengths)
}

#[test]
fn a_conversation_goes_on_for_as_long_as_it_has_packets() {
    let asked = apart(Open, |client| {
        assert_eq!(hold(client, std::vec![random(); 5], Duration::ZERO).unwrap(), [32; 5]);
        assert_eq!(hold(client, std::vec![random(); 2], Duration::ZERO).unwrap(), [32; 2]);
        // Hello, seven packets, two ends.
        assert_eq!(client.counters().requests, 10);
    });
    assert_eq!(asked.len(), 7);
}

#[test]
fn a_lease_that_is_over_says_so_and_the_next_request_is_served() {
    let asked = apart(Open, |client| {
        let error = hold(client, std::vec![random(); 2], LEASE + Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::LeaseExpired)), "{error:?}");
        client.transact(&[random()], &mut Responses::new()).unwrap();
    });
    assert_eq!(asked.len(), 2);
}

#[test]
fn somebody_else_ends_a_lease_and_is_served() {
    let asked = apart(Open, |client| {
        // As another process would, in the middle of the lease of this one.
        let mut other = FrameWriter::new();
        message::begin(&mut other, Kind::Transact, 0x5555_5555);
        other.put(&[0]);
        other.put(random().as_bytes());
        other.end();
        let mut stream = client.stream_mut().0.try_clone().unwrap();
        let mut sent = 0;
        let result = client.converse(&[], &mut (), &mut |_| {
            if sent == 1 {
                io::Write::write_all(&mut stream, other.frame()).unwrap();
            }
            sent += 1;
            Some(random())
        });
        assert!(matches!(result, Err(Error::Fault(Fault::LeaseExpired))), "{result:?}");
    });
    assert_eq!(asked.len(), 2);
}

/// Lets a key be used after a touch only, which comes at once.
struct Guard;

impl Gate for Guard {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        if asked.packets.iter().any(|packet| packet.opcode() == 0x41) {
            Decision::Ask(Duration::from_secs(1))
        } else {
            Decision::Allow
        }
    }
}

#[test]
fn a_key_is_not_used_in_a_lease_that_was_not_asked_for_it() {
    let sign = Packet::new(0x41, 0x80, 0, &[], 64);
    let asked = apart(Guard, |client| {
        let error = hold(client, std::vec![random(), sign.clone()], Duration::ZERO).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Refused { opcode: 0x41 })), "{error:?}");
        // At its beginning there is time to ask.
        assert_eq!(hold(client, std::vec![sign.clone(), random()], Duration::ZERO).unwrap(), [64, 32]);
    });
    assert_eq!(asked.iter().map(Packet::opcode).collect::<Vec<_>>(), [0x1b, 0x41, 0x1b]);
}

/// Asks for each signature that a lease is said to be for, and lets no other one pass.
#[derive(Default)]
struct Planner {
    granted: usize,
    asked: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Gate for Planner {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        let signatures = asked.packets.iter().filter(|packet| packet.opcode() == 0x41).count();
        match asked.origin {
            Origin::LeaseNext if signatures > self.granted => Decision::Refuse(Fault::NotTouched),
            Origin::LeaseNext => {
                self.granted -= signatures;
                Decision::Allow
            }
            _ if signatures == 0 => Decision::Allow,
            _ => {
                self.granted = signatures;
                Decision::Ask(Duration::from_secs(5))
            }
        }
    }

    fn verdict(&mut self, _: &Asked<'_>, left: Duration) -> Verdict {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // Longer than a lease lasts.
        if left < Duration::from_secs(4) { Verdict::Allow } else { Verdict::Waiting }
    }
}

#[test]
fn what_a_lease_is_for_is_asked_for_before_the_chip_wakes() {
    let sign = Packet::new(0x41, 0x80, 0, &[], 64);
    let gate = Planner::default();
    let looks = std::sync::Arc::clone(&gate.asked);
    let asked = apart(gate, |client| {
        let mut converse = |plan: &[Packet], packets: &[Packet]| {
            let mut packets = packets.iter().cloned();
            client.converse(plan, &mut (), &mut |_| packets.next())
        };
        let both = [random(), sign.clone()];
        converse(core::slice::from_ref(&sign), &both).unwrap();
        assert!(looks.load(std::sync::atomic::Ordering::SeqCst) > 10, "nobody was waited for");
        // A second signature was not said.
        let thrice = [random(), sign.clone(), sign.clone()];
        let error = converse(core::slice::from_ref(&sign), &thrice).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::NotTouched)), "{error:?}");
        // More than a request holds.
        converse(&std::vec![random(); 20], &[random()]).unwrap();
    });
    assert_eq!(asked.iter().map(Packet::opcode).collect::<Vec<_>>(), [0x1b, 0x41, 0x1b, 0x41, 0x1b]);
}

#[test]
fn nobody_goes_on_with_the_lease_of_another() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    let frame = |kind, sequence, packet: &Packet| {
        let mut writer = FrameWriter::new();
        message::begin(&mut writer, kind, sequence);
        writer.put(&[0]);
        writer.put(packet.as_bytes());
        writer.end();
        writer.frame().to_vec()
    };
    let load = Packet::new(0x16, 0x03, 0, &[&DIGEST], 1);
    let sign = Packet::new(0x41, 0x80, 0, &[], 64);
    // One host loads a digest; another one, who had a lease before, believes that it still has it.
    let both = [frame(Kind::Lease, 0x1000_0002, &load), frame(Kind::Next, 0x5555_0002, &sign)].concat();
    line.borrow_mut().up.extend(both);
    line.borrow_mut().said.clear();
    let near = client.stream_mut();
    for _ in 0..2 {
        near.server.poll(&mut Far(line.clone()), &mut near.transport, &mut near.gate).unwrap();
    }
    assert_eq!(near.transport.asked, [load], "a digest was signed for somebody else");
    let mut receiver = Receiver::new();
    let refusal = line.borrow().said.last().unwrap().clone();
    assert_eq!(refusal.iter().filter_map(|byte| receiver.push(*byte)).count(), 1);
    assert_eq!(&receiver.payload()[5..], &Fault::LeaseExpired.to_bytes());
}

#[test]
fn a_lease_needs_a_command() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    for (sequence, body, fault) in [
        (77, &[0][..], Fault::Malformed),
        (78, &[], Fault::Malformed),
        (79, &[0x80], Fault::Unsupported),
        // Not the one after the newest.
        (99, &[2], Fault::Forgotten),
    ] {
        let mut writer = FrameWriter::new();
        message::begin(&mut writer, Kind::Lease, sequence);
        writer.put(body);
        writer.end();
        line.borrow_mut().up.extend(writer.frame());
        let near = client.stream_mut();
        near.server.poll(&mut Far(line.clone()), &mut near.transport, &mut near.gate).unwrap();
        let said = line.borrow().said.last().unwrap().clone();
        let mut receiver = Receiver::new();
        let frame = said.iter().filter_map(|byte| receiver.push(*byte)).count();
        assert_eq!(frame, 1);
        assert_eq!(&receiver.payload()[5..], &fault.to_bytes(), "{body:?}");
    }
}
