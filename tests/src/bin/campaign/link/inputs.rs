//! Any input to both ends of the bridge protocol, and to the far end of the text protocol, whose near end is not ours. A
//! panic ends the program; an end that waits longer than it may, or says what it must not, is reported.

use std::{convert::Infallible, time::Duration};

use atecc::{
    Responses, Transport, Wanted,
    kit::{self, MAX_REPLY},
    link::{
        ANSWER_LIMIT, About, Attendant, Client, Error, Fault, FrameWriter, HELLO_LIMIT, Open, PROGRESS_LIMIT,
        Server, Stream, TOUCH_LIMIT,
    },
    packet::{Packet, Response},
};

use crate::{Random, Report};

/// Bytes that are there already, and time that passes when they have been read.
#[derive(Default)]
struct Script {
    bytes: Vec<u8>,
    next: usize,
    now: Duration,
    written: usize,
    /// What was written last.
    last: Vec<u8>,
}

impl Stream for Script {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Infallible> {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.next += count;
        if count == 0 {
            self.now += limit.max(Duration::from_micros(1));
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.written += bytes.len();
        self.last.clear();
        self.last.extend_from_slice(bytes);
        // Time goes by in any case.
        self.now += Duration::from_millis(1);
        Ok(())
    }

    fn now(&mut self) -> Duration {
        self.now
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        rate <= 921_600
    }
}

/// Answers everything with the same bytes.
struct Parrot;

impl Transport for Parrot {
    type Error = Fault;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        _: &mut dyn Attendant,
    ) -> Result<usize, Fault> {
        responses.clear();
        for packet in commands {
            let data = [packet.param1(); 32];
            let response = Response::new(&data[..1 + usize::from(packet.param1() % 32)]);
            responses.extend(response);
        }
        if commands.len() % 5 == 4 { Err(Fault::Bus) } else { Ok(wanted.keep(responses)) }
    }

    fn converse(
        &mut self,
        _: &[Packet],
        _: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Fault> {
        let mut answer = None;
        while next(answer.as_ref()).is_some() {
            answer = Response::new(&[0x5a; 32]).ok();
        }
        Ok(())
    }
}

pub(super) fn run(count: u64, mut random: Random) -> Report {
    let mut server = Server::new(About { name: "inputs", ..About::default() });
    let mut stream = Script::default();
    let (mut answers, mut answered, mut replies) = (0_u64, 0_u64, 0_u64);
    for number in 0..count {
        if number % 4 == 0 {
            answered += u64::from(near(&mut random)?);
            continue;
        }
        if number % 4 == 1 {
            replies += line(&mut server, &mut random)?;
            continue;
        }
        stream.bytes = request(number as u32, &mut random);
        stream.next = 0;
        let (before, start) = (stream.written, stream.now);
        while stream.next < stream.bytes.len()
            || server.poll(&mut stream, &mut Parrot, &mut Open).unwrap_or_default()
        {
            let _ = server.poll(&mut stream, &mut Parrot, &mut Open);
        }
        answers += u64::from(stream.written > before);
        if stream.now - start > TOUCH_LIMIT {
            return Err(format!(
                "the far end was busy for {:?} with {:02x?}",
                stream.now - start,
                stream.bytes
            ));
        }
    }
    if answers == 0 || answered == 0 || replies == 0 {
        return Err("no input was understood: they are all too bad".into());
    }
    Ok(format!(
        "{count} inputs: half of them requests, of which the far end answered {answers}; a quarter answers, of which the \
         near end took {answered}; a quarter text, to which the far end gave {replies} lines"
    ))
}

/// Some lines of text, or nearly, and how many the far end answered: none longer than it may be, none of another form,
/// none without a line to answer.
fn line(server: &mut Server<'_>, random: &mut Random) -> Result<u64, String> {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(3) {
        let mut line = text(random);
        match random.below(8) {
            0 => line.truncate(random.below(line.len())),
            1 => line.splice(0..0, random.bytes(20)).for_each(drop),
            2 => line.splice(0..0, b"E:t(".repeat(random.below(700))).for_each(drop),
            _ => {}
        }
        // Not only in a line: as the argument of one, without what is before it.
        let _ = kit::parse(&line);
        bytes.extend(line);
    }
    // Ends what was begun, by itself and by the input before.
    bytes.splice(0..0, *b"\n");
    bytes.push(b'\n');
    let ends = bytes.iter().filter(|byte| matches!(byte, b'\n')).count() as u64;
    let mut stream = Script { bytes, ..Script::default() };
    let mut said = 0;
    loop {
        let before = stream.written;
        let _ = server.poll(&mut stream, &mut Parrot, &mut Open);
        if stream.written > before {
            let reply = &stream.last;
            // A zero in the garbage may end a frame that is none; nothing here is one.
            if reply.len() > MAX_REPLY || !is_reply(reply) {
                return Err(format!("{reply:02x?} to {:02x?}", stream.bytes));
            }
            said += 1;
        } else if stream.next == stream.bytes.len() {
            break;
        }
    }
    if said > ends || stream.now > Duration::from_secs(5) {
        return Err(format!("{said} answers in {:?} to {:02x?}", stream.now, stream.bytes));
    }
    Ok(said)
}

/// Whether a host may get this line: two digits and bytes in hexadecimal, or the name of a device.
fn is_reply(reply: &[u8]) -> bool {
    let Ok(reply) = str::from_utf8(reply) else { return false };
    let is_hex =
        |text: &str| text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some((head, tail)) = reply.strip_suffix(")\n").and_then(|reply| reply.split_once('(')) else {
        return false;
    };
    is_hex(tail)
        && (head.len() == 2 && is_hex(head)
            || head.starts_with("ECC608A TWI ")
            || head.starts_with("NO_DEVICE "))
}

/// One request of a near end that hears garbage. Whether it took it for an answer.
fn near(random: &mut Random) -> Result<bool, String> {
    let sequence = random.next() as u32;
    let mut bytes = answer(random, sequence.wrapping_add(1), 0x81);
    for _ in 0..random.below(3) {
        let kind = [0x82, 0x82, 0x83, 0x84][random.below(4)];
        bytes.extend(answer(random, sequence.wrapping_add(2), kind));
    }
    let stream = Script { bytes, ..Script::default() };
    let mut client = Client::new(stream, sequence);
    let packet = Packet::new(0x1b, 0, 0, &[], 32);
    let mut responses = Responses::new();
    let result = client.transact(&[packet.clone(), packet], &mut responses);
    let waited = client.stream_mut().now;
    // Each report of progress gives it more time.
    let longest = HELLO_LIMIT + ANSWER_LIMIT + 3 * PROGRESS_LIMIT + Duration::from_secs(1);
    if waited > longest {
        return Err(format!("the near end waited {waited:?}"));
    }
    match result {
        Ok(()) if responses.iter().any(|response| response.data().is_empty()) => {
            Err("an empty answer".into())
        }
        Ok(()) | Err(Error::Damaged | Error::Fault(_)) => Ok(true),
        Err(_) => Ok(false),
    }
}

/// Something like a request: random, text, or a frame with a few bytes changed before or after it was made.
fn request(number: u32, random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => random.bytes(300),
        1 => text(random),
        _ => {
            let kind = random.below(9) as u8;
            let mut body = match kind {
                2..5 => {
                    // Transactions and planned leases may have many, the next of a lease one.
                    let flags = random.below(if kind == 3 { 8 } else { 4 });
                    let mut body = vec![flags as u8];
                    for _ in 0..random.below(if kind == 2 || flags >= 4 { 18 } else { 3 }) {
                        let longest = if random.below(8) == 0 { 148 } else { 8 };
                        let data = random.bytes(longest);
                        let opcode = [0x02, 0x16, 0x1b, 0x30, 0x40, 0x41, 0x47][random.below(7)];
                        let packet =
                            Packet::new(opcode, random.next() as u8, random.next() as u16, &[&data], 1);
                        body.extend(packet.as_bytes());
                    }
                    body
                }
                _ => random.bytes(6),
            };
            change(&mut body, random, 6);
            // New, the newest, or of long ago.
            let sequence = number - [0, 0, 0, 0, 1, 2, 300][random.below(7)].min(number);
            let mut frame = frame(kind, sequence, &body);
            change(&mut frame, random, 6);
            frame
        }
    }
}

/// A line of the text protocol, or nearly.
fn text(random: &mut Random) -> Vec<u8> {
    let packet = Packet::new(0x1b, random.next() as u8, 0, &[&random.bytes(148)], 1);
    let hex: String = packet.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    let lines = [
        "board:device(00)\n".into(),
        "E:w()\n".into(),
        format!("E:t({hex})\n"),
        format!("e:talk({hex}"),
        "E:physical:select(6A)\r\n".into(),
        "AT\r\n".into(),
    ];
    let mut line = lines[random.below(lines.len())].clone().into_bytes();
    change(&mut line, random, 4);
    line
}

/// Something like an answer to `sequence`.
fn answer(random: &mut Random, sequence: u32, kind: u8) -> Vec<u8> {
    let mut body = match kind {
        0x81 => [&[1, 0x1f, 0, 0xff, 0x0f, 0xff, 0x0f, 1, 2, 3, 4][..], b"name"].concat(),
        0x82 => {
            let mut body = vec![2];
            for _ in 0..2 {
                let length = if random.below(4) == 0 { random.below(128) } else { 31 };
                body.extend(Response::new(&vec![0x5a; length + 1]).map(|r| r.to_group()).unwrap_or_default());
            }
            body
        }
        0x83 => vec![1, 9, 0],
        _ => random.bytes(3),
    };
    change(&mut body, random, 8);
    let mut bytes = if random.below(8) == 0 { random.bytes(80) } else { Vec::new() };
    let mut frame = frame(kind, sequence, &body);
    change(&mut frame, random, 10);
    bytes.extend(frame);
    bytes
}

fn frame(kind: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut writer = FrameWriter::new();
    writer.begin();
    writer.put(&[kind]);
    writer.put(&sequence.to_le_bytes());
    writer.put(body);
    writer.end();
    writer.frame().to_vec()
}

/// Changes a byte or two, in one of `odds` cases.
fn change(bytes: &mut [u8], random: &mut Random, odds: usize) {
    if bytes.is_empty() || random.below(odds) != 0 {
        return;
    }
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len());
        bytes[at] = random.next() as u8;
    }
}
