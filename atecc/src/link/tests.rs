//! Both ends against each other, in one thread and in a time that passes only when somebody waits.

extern crate std;

mod busy;
mod gate;
mod kit;
mod lease;
mod loss;
mod rate;
mod relay;
mod snapshots;

use core::convert::Infallible;
use std::{cell::RefCell, collections::VecDeque, rc::Rc, vec::Vec};

use super::*;
use crate::{
    Device, Responses, Slot, Transport, Wanted,
    command::{CounterRead, GenKeyPublic, Random, Read, SignExternal},
    packet::{Packet, Response},
};

/// A line, and both ends of it.
#[derive(Default)]
struct Line {
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    now: Duration,
    /// What else comes to the far end, and when.
    later: VecDeque<(Duration, Vec<u8>)>,
    /// How many writes of the near end, and then of the far end, are lost.
    lost: [u32; 2],
    sent: usize,
    received: usize,
    /// How often the near end wrote.
    trips: usize,
    rates: [u32; 2],
    has_rates: bool,
    /// What the far end said, as it was written.
    said: Vec<Vec<u8>>,
}

type Shared = Rc<RefCell<Line>>;

/// The stream of the far end.
struct Far(Shared);

impl Stream for Far {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Infallible> {
        let mut line = self.0.borrow_mut();
        let now = line.now;
        while line.later.front().is_some_and(|(at, _)| *at <= now) {
            let (_, bytes) = line.later.pop_front().unwrap();
            line.up.extend(bytes);
        }
        let count = line.up.len().min(buffer.len());
        if count == 0 {
            line.now += limit;
        }
        let is_readable = line.rates[0] == line.rates[1];
        for byte in &mut buffer[..count] {
            *byte = line.up.pop_front().unwrap() ^ if is_readable { 0 } else { 0xa5 };
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let mut line = self.0.borrow_mut();
        line.said.push(bytes.to_vec());
        if line.lost[1] > 0 {
            line.lost[1] -= 1;
            return Ok(());
        }
        line.received += bytes.len();
        let garble = if line.rates[0] == line.rates[1] { 0 } else { 0xa5 };
        line.down.extend(bytes.iter().map(|byte| byte ^ garble));
        Ok(())
    }

    fn now(&mut self) -> Duration {
        self.0.borrow().now
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        self.0.borrow().has_rates && rate <= 921_600
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), Infallible> {
        self.0.borrow_mut().rates[1] = rate;
        Ok(())
    }
}

/// The stream of the near end. When it waits, the far end works.
struct Near<T, G> {
    line: Shared,
    server: Server<'static>,
    transport: T,
    gate: G,
}

impl<T: Transport<Error: AsFault>, G: Gate> Stream for Near<T, G> {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Infallible> {
        let end = self.now() + limit;
        while self.line.borrow().down.is_empty() && self.now() < end {
            self.server.poll(&mut Far(self.line.clone()), &mut self.transport, &mut self.gate)?;
        }
        let mut line = self.line.borrow_mut();
        let count = line.down.len().min(buffer.len());
        for byte in &mut buffer[..count] {
            *byte = line.down.pop_front().unwrap();
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let mut line = self.line.borrow_mut();
        if line.lost[0] > 0 {
            line.lost[0] -= 1;
            return Ok(());
        }
        line.trips += 1;
        line.sent += bytes.len();
        line.up.extend(bytes);
        Ok(())
    }

    fn now(&mut self) -> Duration {
        self.line.borrow().now
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        rate <= 1_500_000
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), Infallible> {
        self.line.borrow_mut().rates[0] = rate;
        Ok(())
    }
}

/// A chip as far as a link can tell: answers of the right length, and what it was asked.
#[derive(Default)]
struct Chip {
    asked: Vec<Packet>,
    counter: u32,
    /// Answers the next command with this status.
    status: Option<u8>,
    fault: Option<Fault>,
}

impl Chip {
    fn answer(&mut self, packet: &Packet) -> Response {
        self.asked.push(packet.clone());
        if let Some(status) = self.status.take() {
            return Response::new(&[status]).unwrap();
        }
        let length = match packet.opcode() {
            <Random as crate::command::Command>::OPCODE => 32,
            <SignExternal as crate::command::Command>::OPCODE
            | <GenKeyPublic as crate::command::Command>::OPCODE => 64,
            <Read as crate::command::Command>::OPCODE => 32,
            <CounterRead as crate::command::Command>::OPCODE => {
                self.counter += 1;
                return Response::new(&self.counter.to_le_bytes()).unwrap();
            }
            _ => return Response::new(&[0]).unwrap(),
        };
        Response::new(&std::vec![self.asked.len() as u8; length]).unwrap()
    }
}

impl Transport for Chip {
    type Error = Fault;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        _: &mut dyn Attendant,
    ) -> Result<usize, Fault> {
        responses.clear();
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        for packet in commands {
            let response = self.answer(packet);
            let status = response.status();
            responses.push(response).unwrap();
            if status.is_some_and(|status| status != crate::Status::Success) {
                break;
            }
        }
        Ok(wanted.keep(responses))
    }

    fn converse(
        &mut self,
        _: &[Packet],
        _: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Fault> {
        let mut answer = None;
        while let Some(packet) = next(answer.as_ref()) {
            if let Some(fault) = self.fault {
                return Err(fault);
            }
            answer = Some(self.answer(&packet));
        }
        Ok(())
    }
}

const ABOUT: About<'_> = About { name: "test", is_emulated: true, may_ask: false, run: 0x0403_0201 };

/// A client of a far end with `gate` in front of a chip, and the line between them.
fn linked<G: Gate>(gate: G) -> (Client<Near<Chip, G>>, Shared) {
    let line = Shared::default();
    line.borrow_mut().rates = [BASE_RATE; 2];
    let near = Near { line: line.clone(), server: Server::new(ABOUT), transport: Chip::default(), gate };
    (Client::new(near, 0x1000_0000), line)
}

const DIGEST: [u8; 32] = [0x5a; 32];

#[test]
fn one_tls_signature_takes_one_round_trip_and_160_bytes() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    let (sent, received, trips) = {
        let line = line.borrow();
        (line.sent, line.received, line.trips)
    };
    let mut device = Device::new(client);
    let signature = device.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    assert_eq!(signature.as_bytes(), &[3; 64]);
    let line = line.borrow();
    assert_eq!(line.trips - trips, 1);
    let bytes = (line.sent - sent) + (line.received - received);
    assert_eq!(bytes, 146, "146 bytes are promised in docs/link.md");
    // Random, Nonce, Sign.
    let asked = &device.transport_mut().stream_mut().transport.asked;
    assert_eq!(asked.iter().map(Packet::opcode).collect::<Vec<_>>(), [0x1b, 0x16, 0x41]);
    // It reads no more of each answer than there is: on the bus that would be 26 ms.
    assert_eq!(asked.iter().map(Packet::response_data).collect::<Vec<_>>(), [Some(32), Some(1), Some(64)]);
}

#[test]
fn the_far_end_says_what_it_is_before_anything_else() {
    let (mut client, line) = linked(Open);
    let mut responses = Responses::new();
    client.transact(&[Packet::new(0x1b, 0, 0, &[], 32)], &mut responses).unwrap();
    let welcome = client.welcome().unwrap();
    assert!(welcome.capabilities.contains(Capabilities::EMULATED));
    assert!(!welcome.capabilities.contains(Capabilities::TOUCH));
    assert_eq!((welcome.name.as_str(), welcome.run, welcome.version), ("test", 0x0403_0201, VERSION));
    assert_eq!(line.borrow().trips, 2);
}

#[test]
fn answers_are_all_there_and_errors_end_the_transaction() {
    let (mut client, _) = linked(Open);
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    let mut responses = Responses::new();
    client.transact(&[random.clone(), random.clone()], &mut responses).unwrap();
    assert_eq!(responses.iter().map(|response| response.data().len()).collect::<Vec<_>>(), [32, 32]);
    client.stream_mut().transport.status = Some(0x0f);
    client.transact(&[random.clone(), random.clone()], &mut responses).unwrap();
    assert_eq!(responses.len(), 1);
    client.stream_mut().transport.status = Some(0x0f);
    let error = Device::new(&mut client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Response { command: "Random", .. }), "{error:?}");
}

#[test]
fn an_answer_of_another_length_is_not_taken() {
    let (mut client, _) = linked(Open);
    // The chip gives 32 bytes.
    let random = Packet::new(0x1b, 0, 0, &[], 64);
    let error = client.transact(&[random], &mut Responses::new()).unwrap_err();
    assert!(matches!(error, Error::Damaged));
}

#[test]
fn faults_of_the_far_end_arrive_as_they_are() {
    let (mut client, _) = linked(Open);
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    for fault in [Fault::NoChip, Fault::Bus, Fault::Timeout { opcode: 0x41 }, Fault::Damaged] {
        client.stream_mut().transport.fault = Some(fault);
        let error = client.transact(core::slice::from_ref(&random), &mut Responses::new()).unwrap_err();
        assert!(matches!(error, Error::Fault(found) if found == fault), "{error:?}");
    }
}

#[test]
fn the_longest_transaction_fits() {
    let (mut client, _) = linked(Open);
    let longest = Packet::new(0x02, 0, 0, &[&[0x5a; 148]], 32);
    assert_eq!(longest.as_bytes().len(), crate::packet::MAX_GROUP);
    let commands: Vec<Packet> = std::vec![longest; crate::transport::MAX_COMMANDS];
    let mut responses = Responses::new();
    client.transact(&commands, &mut responses).unwrap();
    assert_eq!(responses.len(), commands.len());
}

#[test]
fn a_silent_line_is_given_up_at_the_limit() {
    let (mut client, line) = linked(Open);
    line.borrow_mut().lost[1] = u32::MAX;
    assert!(matches!(client.hello(), Err(Error::NoBridge)));
    assert!(line.borrow().now <= HELLO_LIMIT + HELLO_INTERVAL);
    line.borrow_mut().lost[1] = 0;
    client.hello().unwrap();
    let before = line.borrow().now;
    line.borrow_mut().lost[1] = u32::MAX;
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    let error = client.transact(&[random], &mut Responses::new()).unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error:?}");
    assert!(line.borrow().now - before <= ANSWER_LIMIT + HELLO_INTERVAL);
}

#[test]
fn another_version_is_named() {
    let (mut client, _) = linked(Open);
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, Kind::Welcome, 0x1000_0001);
    writer.put(&[9, 0xff, 0xff]);
    writer.end();
    client.stream_mut().line.borrow_mut().down.extend(writer.frame());
    assert!(matches!(client.hello(), Err(Error::Version { theirs: 9 })));
}
