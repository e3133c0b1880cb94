//! What the gate says, and what becomes of it at the near end.

use super::*;

/// A gate as firmware has it: a key is used after a touch only.
#[derive(Default)]
struct Guard {
    touched_after: Option<Duration>,
    denies: bool,
    waited: Duration,
    withdrawn: Option<Fault>,
    done: Vec<(usize, Option<Fault>)>,
}

const LIMIT: Duration = Duration::from_secs(10);

impl Gate for Guard {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        match asked.packets.iter().find(|packet| !matches!(packet.opcode(), 0x1b | 0x16)) {
            None => Decision::Allow,
            Some(packet) if packet.opcode() == 0x41 => Decision::Ask(LIMIT),
            Some(packet) => Decision::Refuse(Fault::Refused { opcode: packet.opcode() }),
        }
    }

    fn verdict(&mut self, _: &Asked<'_>, left: Duration) -> Verdict {
        self.waited = LIMIT - left;
        match self.touched_after {
            Some(after) if self.waited >= after && self.denies => Verdict::Deny,
            Some(after) if self.waited >= after => Verdict::Allow,
            _ => Verdict::Waiting,
        }
    }

    fn withdrawn(&mut self, _: &Asked<'_>, fault: Fault) {
        self.withdrawn = Some(fault);
    }

    fn done(&mut self, asked: &Asked<'_>, answers: Result<&[Response], Fault>) {
        self.done.push((asked.packets.len(), answers.err()));
    }
}

#[test]
fn a_touch_is_waited_for_with_progress() {
    let (mut client, line) =
        linked(Guard { touched_after: Some(Duration::from_secs(7)), ..Guard::default() });
    client.hello().unwrap();
    let mut device = Device::new(client);
    device.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    let gate = &device.transport_mut().stream_mut().gate;
    assert!(gate.waited >= Duration::from_secs(7));
    assert_eq!((gate.withdrawn, gate.done.as_slice()), (None, &[(3, None)][..]));
    // Welcome, one report each half second, the answer.
    let said = line.borrow().said.len();
    assert!((14..=18).contains(&said), "{said}");
}

#[test]
fn nobody_touches() {
    let (client, line) = linked(Guard::default());
    let mut device = Device::new(client);
    let error = device.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Fault(Fault::NotTouched))), "{error:?}");
    let near = device.transport_mut().stream_mut();
    assert_eq!(near.gate.withdrawn, Some(Fault::NotTouched));
    assert!(near.transport.asked.is_empty(), "the chip was asked nevertheless");
    assert!(line.borrow().now < LIMIT + Duration::from_secs(1));
}

#[test]
fn somebody_says_no() {
    let gate = Guard { touched_after: Some(Duration::from_secs(1)), denies: true, ..Guard::default() };
    let mut device = Device::new(linked(gate).0);
    let error = device.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Fault(Fault::Denied))), "{error:?}");
    assert!(device.transport_mut().stream_mut().transport.asked.is_empty());
}

#[test]
fn what_the_policy_refuses_never_reaches_the_chip() {
    let (client, _) = linked(Guard::default());
    let mut device = Device::new(client);
    let error = device.public_key(Slot::PRIMARY_KEY).unwrap_err();
    let expected = Fault::Refused { opcode: 0x40 };
    assert!(matches!(error, crate::Error::Transport(Error::Fault(fault)) if fault == expected));
    let near = device.transport_mut().stream_mut();
    assert!(near.transport.asked.is_empty());
    assert_eq!(near.gate.done, [(1, Some(expected))]);
}

#[test]
fn a_request_can_be_cancelled_while_it_waits_for_a_touch() {
    let (mut client, line) = linked(Guard::default());
    client.hello().unwrap();
    let mut cancel = FrameWriter::new();
    message::begin(&mut cancel, Kind::Cancel, 0x1000_0002);
    cancel.end();
    let at = line.borrow().now + Duration::from_secs(2);
    line.borrow_mut().later.push_back((at, cancel.frame().to_vec()));
    let error = Device::new(&mut client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Fault(Fault::Cancelled))), "{error:?}");
    assert!(line.borrow().now < at + Duration::from_secs(1));
    assert_eq!(client.stream_mut().gate.withdrawn, Some(Fault::Cancelled));
}

#[test]
fn a_host_that_starts_anew_takes_its_question_back() {
    let (mut client, line) = linked(Guard::default());
    client.hello().unwrap();
    let mut hello = FrameWriter::new();
    message::begin(&mut hello, Kind::Hello, 0x2222_2222);
    hello.put(&[VERSION]);
    hello.end();
    let at = line.borrow().now + Duration::from_secs(2);
    line.borrow_mut().later.push_back((at, hello.frame().to_vec()));
    let error = Device::new(&mut client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Fault(Fault::Cancelled))), "{error:?}");
    // And the newcomer gets its answer.
    let near = client.stream_mut();
    near.server.poll(&mut Far(line.clone()), &mut near.transport, &mut near.gate).unwrap();
    let last = line.borrow().said.last().unwrap().clone();
    assert!(last.windows(5).any(|bytes| bytes == [0x81, 0x22, 0x22, 0x22, 0x22]), "{last:x?}");
}

/// Counts how often somebody else begins to talk.
#[derive(Default)]
struct Listener(usize);

impl Gate for Listener {
    fn handed_over(&mut self) {
        self.0 += 1;
    }
}

#[test]
fn the_gate_is_told_when_somebody_else_talks() {
    let (mut client, line) = linked(Listener::default());
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    client.hello().unwrap();
    for _ in 0..3 {
        client.transact(core::slice::from_ref(&random), &mut Responses::new()).unwrap();
    }
    // What the line lost does not make it another one.
    line.borrow_mut().lost[0] = 1;
    client.transact(core::slice::from_ref(&random), &mut Responses::new()).unwrap();
    assert_eq!(client.stream_mut().gate.0, 0);
    let mut say = |bytes: &[u8]| {
        line.borrow_mut().up.extend(bytes);
        let near = client.stream_mut();
        while near.server.poll(&mut Far(line.clone()), &mut near.transport, &mut near.gate).unwrap() {}
        near.gate.0
    };
    let frame = |kind, sequence| {
        let mut writer = FrameWriter::new();
        message::begin(&mut writer, kind, sequence);
        writer.put(&[VERSION]);
        writer.end();
        writer.frame().to_vec()
    };
    // Another host, with its greeting and without; text; and the first one again.
    assert_eq!(say(&frame(Kind::Hello, 0x5555_0001)), 1);
    assert_eq!(say(&frame(Kind::End, 0x5555_0002)), 1);
    assert_eq!(say(&frame(Kind::End, 0x1000_0007)), 2);
    assert_eq!(say(b"E:w()\n"), 3);
    assert_eq!(say(b"E:i()\n"), 3);
    assert_eq!(say(&frame(Kind::End, 0x1000_0008)), 4);
}

/// Cancels as soon as it is told anything.
struct Impatient;

impl Attendant for Impatient {
    fn progress(&mut self, progress: Progress) -> core::ops::ControlFlow<()> {
        assert!(matches!(progress, Progress::Touch { seconds_left: 9..=10 }), "{progress:?}");
        core::ops::ControlFlow::Break(())
    }
}

#[test]
fn an_attendant_can_cancel() {
    let (client, line) = linked(Guard::default());
    let mut client = Client::with_attendant(client.release(), 7, Impatient);
    // In one thread, the far end waits out its limit before it reads the cancellation; so shorten it.
    let mut cancel = FrameWriter::new();
    message::begin(&mut cancel, Kind::Cancel, 9);
    cancel.end();
    line.borrow_mut().later.push_back((Duration::from_secs(1), cancel.frame().to_vec()));
    let error = Device::new(&mut client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Fault(Fault::Cancelled))), "{error:?}");
}
