//! The far end: answers requests from a stream with a transport.

mod kit_text;
mod lease;
mod waiting;

use core::time::Duration;

use heapless::Vec;

use super::{
    AsFault, Asked, BASE_RATE, Capabilities, Decision, Fault, FrameWriter, Gate, Incoming, Kind, MAX_PAYLOAD,
    Origin, PROGRESS_INTERVAL, Progress, RATE_LIMIT, Receiver, Stream, TOUCH_LIMIT, VERSION, Verdict,
    Welcome,
    message::{AGAIN, LAST_ONLY, LEASE_FLAGS, PLANNED, TRANSACT_FLAGS, begin, split, split_packet},
};
use crate::{
    Responses, Transport, Wanted,
    kit::Session,
    packet::{MAX_RESPONSE_DATA, OVERHEAD, Packet, Response},
    transport::MAX_COMMANDS,
};
use waiting::{Heard, Waiting};

/// How long [`Server::poll`] waits for something to happen, and how often a person is looked after.
const POLL: Duration = Duration::from_millis(20);
/// So many broken frames in a row, and a line that left the base rate goes back to it.
const BROKEN: u32 = 3;
/// So many sequence numbers before the newest are of requests that are over.
const STALE: u32 = 256;
/// Longest payload of an answer.
const MAX_ANSWER: usize = 6 + MAX_COMMANDS * (MAX_RESPONSE_DATA + OVERHEAD);

/// Serves `transport` on `stream` until the stream ends, and returns why it ended.
///
/// ```no_run
/// # use atecc::{Transport, link::{About, AsFault, Open, Stream, serve}};
/// # fn bridge<S: Stream, T: Transport>(uart: S, chip: T) where T::Error: AsFault {
/// let _gone = serve(uart, chip, Open, About { name: "bench", ..About::default() });
/// # }
/// ```
pub fn serve<S: Stream, T: Transport, G: Gate>(
    mut stream: S,
    mut transport: T,
    mut gate: G,
    about: About<'_>,
) -> S::Error
where
    T::Error: AsFault,
{
    let mut server = Server::new(about);
    loop {
        if let Err(error) = server.poll(&mut stream, &mut transport, &mut gate) {
            return error;
        }
    }
}

/// What a far end says about itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// What it calls itself, for people; cut at [`MAX_NAME`](super::MAX_NAME) bytes.
    pub name: &'a str,
    /// Whether the chip is software, at whatever distance.
    pub is_emulated: bool,
    /// Whether its gate may ask for a touch.
    pub may_ask: bool,
    /// Another number after each start, at best a random one.
    pub run: u32,
}

/// The far end of one stream. It keeps what must outlive one request: about 5 kB.
pub struct Server<'a> {
    about: About<'a>,
    receiver: Receiver,
    /// What was found while something else was looked for.
    pending: Option<Incoming>,
    /// The last answer, to be given again.
    answer: FrameWriter,
    /// Whether it is there.
    is_answered: bool,
    /// The newest request; none before the first Hello.
    newest: Option<u32>,
    rate: u32,
    /// When a new rate is taken back, unless a frame confirms it.
    rate_until: Option<Duration>,
    /// How many broken frames there were at the last good one.
    broken: u32,
    kit: Session,
    /// Whether a host that speaks text talked last.
    is_text: bool,
}

impl<'a> Server<'a> {
    /// A far end that nobody has talked to.
    pub const fn new(about: About<'a>) -> Self {
        Self {
            about,
            receiver: Receiver::new(),
            pending: None,
            answer: FrameWriter::new(),
            is_answered: false,
            newest: None,
            rate: BASE_RATE,
            rate_until: None,
            broken: 0,
            kit: Session::new(),
            is_text: false,
        }
    }

    /// Answers one request, or waits 20 ms in vain. Returns whether there was one.
    ///
    /// Firmware calls it in its main loop and looks after its screen in between; [`Gate`] is called from here.
    ///
    /// # Errors
    /// When the stream fails.
    pub fn poll<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
    ) -> Result<bool, S::Error>
    where
        T::Error: AsFault,
    {
        let incoming = match self.pending.take() {
            Some(incoming) => Some(incoming),
            None => self.receiver.receive(stream, POLL)?,
        };
        match incoming {
            Some(Incoming::Frame) => {
                self.rate_until = None;
                self.broken = self.receiver.broken();
                self.kit.forget();
                self.frame(stream, transport, gate)?;
            }
            Some(Incoming::Line) => self.line(stream, transport, gate)?,
            None => self.mind_rate(stream)?,
        }
        if incoming.is_some() && self.pending.is_none() {
            self.receiver.clear();
        }
        Ok(incoming.is_some())
    }

    fn frame<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
    ) -> Result<(), S::Error>
    where
        T::Error: AsFault,
    {
        let Some((code, sequence, body)) = split(self.receiver.payload()) else { return Ok(()) };
        let kind = match Kind::from_code(code) {
            // Nothing to cancel, or an echo of our own answers.
            Some(Kind::Cancel) => return Ok(()),
            _ if code >= Kind::Welcome.code() => return Ok(()),
            kind => kind,
        };
        if self.newest.is_some_and(|newest| is_stale(newest, sequence)) {
            return Ok(());
        }
        if self.newest == Some(sequence) && self.is_answered {
            return stream.write(self.answer.frame());
        }
        if self.newest.is_none() && kind != Some(Kind::Hello) {
            // It may have been executed before the far end lost its memory.
            self.write_fault(sequence, Fault::Forgotten);
            self.answer.end();
            return stream.write(self.answer.frame());
        }
        let follows = self.newest.is_some_and(|newest| newest.wrapping_add(1) == sequence);
        if self.is_text || self.newest.is_some_and(|newest| !is_of_same_host(newest, sequence)) {
            self.is_text = false;
            gate.handed_over();
        }
        self.newest = Some(sequence);
        self.is_answered = false;
        match kind {
            Some(Kind::Hello) => {
                let welcome = self.welcome(stream);
                begin(&mut self.answer, Kind::Welcome, sequence);
                welcome.write(&mut self.answer);
                self.send(stream, sequence)
            }
            Some(Kind::Transact) => {
                let request = Request::read(body, TRANSACT_FLAGS, follows);
                let result = match request {
                    Ok(request) => self.transact(stream, transport, gate, sequence, &request)?,
                    Err(fault) => Err(fault),
                };
                self.conclude(stream, sequence, result)
            }
            Some(Kind::Lease) => match Request::read(body, LEASE_FLAGS, follows) {
                Ok(request) => self.lease(stream, transport, gate, sequence, request),
                Err(fault) => self.conclude(stream, sequence, Err(fault)),
            },
            Some(Kind::Next) => self.conclude(stream, sequence, Err(Fault::LeaseExpired)),
            // The lease was over already, and whoever held it has all its answers.
            Some(Kind::End) => {
                self.write_answer(sequence, 0, &[]);
                self.send(stream, sequence)
            }
            Some(Kind::Rate) => {
                let rate = body.first_chunk().map(|rate| u32::from_le_bytes(*rate));
                self.change_rate(stream, sequence, rate)
            }
            _ => self.conclude(stream, sequence, Err(Fault::Unsupported)),
        }
    }

    /// Asks the gate, then the chip.
    fn transact<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
        sequence: u32,
        request: &Request,
    ) -> Result<Result<(), Fault>, S::Error>
    where
        T::Error: AsFault,
    {
        let asked = Asked { packets: &request.packets, origin: Origin::Transaction };
        let mut responses = Responses::new();
        let result = match self.admit(stream, gate, &asked, Some(sequence))? {
            Err(fault) => Err(fault),
            Ok(()) => {
                let wanted = if request.flags & LAST_ONLY != 0 { Wanted::Last } else { Wanted::All };
                let mut host = self.waiting(stream, Some(sequence));
                let result = transport.transact_attended(&request.packets, wanted, &mut responses, &mut host);
                if let Some(error) = host.error {
                    return Err(error);
                }
                result.map_err(|error| error.as_fault())
            }
        };
        gate.done(&asked, result.map(|_| responses.as_slice()));
        Ok(result.map(|answered| self.write_answer(sequence, answered, &responses)))
    }

    /// Has the gate decide, and waits for a touch if it wants one.
    fn admit<S: Stream, G: Gate>(
        &mut self,
        stream: &mut S,
        gate: &mut G,
        asked: &Asked<'_>,
        sequence: Option<u32>,
    ) -> Result<Result<(), Fault>, S::Error> {
        let limit = match gate.decide(asked) {
            Decision::Allow => return Ok(Ok(())),
            Decision::Refuse(fault) => return Ok(Err(fault)),
            Decision::Ask(limit) => limit.min(TOUCH_LIMIT),
        };
        let mut host = self.waiting(stream, sequence);
        let end = host.stream.now() + limit;
        let mut report = host.stream.now();
        let fault = loop {
            let now = host.stream.now();
            let left = end.saturating_sub(now);
            match gate.verdict(asked, left) {
                Verdict::Allow => return Ok(Ok(())),
                Verdict::Deny => return Ok(Err(Fault::Denied)),
                Verdict::Waiting if left.is_zero() => break Fault::NotTouched,
                Verdict::Waiting => {}
            }
            if now >= report {
                report = now + PROGRESS_INTERVAL;
                host.tell(Progress::Touch { seconds_left: left.as_secs() as u16 })?;
            }
            match host.listen(POLL)? {
                Heard::Nothing => {}
                // It was answered with progress, and is once more.
                Heard::Again => report = now,
                Heard::Gone => break Fault::Cancelled,
            }
        };
        gate.withdrawn(asked, fault);
        Ok(Err(fault))
    }

    /// The host of the request `sequence`, as long as that is not answered.
    fn waiting<'b, S: Stream>(&'b mut self, stream: &'b mut S, sequence: Option<u32>) -> Waiting<'b, S> {
        let Self { receiver, answer, pending, .. } = self;
        Waiting { stream, receiver, answer, pending, sequence, error: None }
    }

    /// Writes an answer, to be sent.
    fn write_answer(&mut self, sequence: u32, answered: usize, responses: &[Response]) {
        begin(&mut self.answer, Kind::Answer, sequence);
        // At most MAX_COMMANDS.
        self.answer.put(&[answered as u8]);
        for response in responses {
            self.answer.put(&response.to_group());
        }
    }

    fn write_fault(&mut self, sequence: u32, fault: Fault) {
        begin(&mut self.answer, Kind::Fault, sequence);
        self.answer.put(&fault.to_bytes());
    }

    /// Sends what was written as the answer to `sequence`, or `fault`.
    fn conclude<S: Stream>(
        &mut self,
        stream: &mut S,
        sequence: u32,
        result: Result<(), Fault>,
    ) -> Result<(), S::Error> {
        if let Err(fault) = result {
            self.write_fault(sequence, fault);
        }
        self.send(stream, sequence)
    }

    /// Sends what was written, and keeps it for who asks again.
    fn send<S: Stream>(&mut self, stream: &mut S, sequence: u32) -> Result<(), S::Error> {
        self.answer.end();
        self.newest = Some(sequence);
        self.is_answered = true;
        stream.write(self.answer.frame())
    }

    fn welcome<S: Stream>(&self, stream: &mut S) -> Welcome {
        let mut capabilities = Capabilities::LEASE | Capabilities::KIT | Capabilities::PLAN;
        for (is_set, bit) in [
            (self.about.is_emulated, Capabilities::EMULATED),
            (self.about.may_ask, Capabilities::TOUCH),
            (stream.has_rate(BASE_RATE), Capabilities::RATE),
        ] {
            if is_set {
                capabilities = capabilities | bit;
            }
        }
        let mut welcome = Welcome {
            version: VERSION,
            capabilities,
            max_request: MAX_PAYLOAD as u16,
            max_answer: MAX_ANSWER as u16,
            run: self.about.run,
            ..Welcome::default()
        };
        for character in self.about.name.chars() {
            if welcome.name.push(character).is_err() {
                break;
            }
        }
        welcome
    }

    /// Answers at the old rate, then changes it.
    fn change_rate<S: Stream>(
        &mut self,
        stream: &mut S,
        sequence: u32,
        rate: Option<u32>,
    ) -> Result<(), S::Error> {
        let Some(rate) = rate else { return self.conclude(stream, sequence, Err(Fault::Malformed)) };
        if !stream.has_rate(rate) {
            return self.conclude(stream, sequence, Err(Fault::Unsupported));
        }
        self.write_answer(sequence, 0, &[]);
        self.send(stream, sequence)?;
        stream.set_rate(rate)?;
        self.rate = rate;
        self.rate_until = Some(stream.now() + RATE_LIMIT);
        Ok(())
    }

    /// Goes back to the base rate if nobody is understood at this one.
    fn mind_rate<S: Stream>(&mut self, stream: &mut S) -> Result<(), S::Error> {
        let is_over = self.rate_until.is_some_and(|until| stream.now() >= until);
        let is_noise = self.receiver.broken().wrapping_sub(self.broken) >= BROKEN;
        if self.rate != BASE_RATE && (is_over || is_noise) {
            stream.set_rate(BASE_RATE)?;
            self.rate = BASE_RATE;
            self.rate_until = None;
            self.broken = self.receiver.broken();
        }
        Ok(())
    }
}

/// Whether `sequence` is of a request before `newest` of the same host, which a line has held back: it was answered
/// or given up. Another host begins at random, and hardly ever here.
const fn is_stale(newest: u32, sequence: u32) -> bool {
    let age = newest.wrapping_sub(sequence);
    age > 0 && age < STALE
}

/// Whether `sequence` is of the host that sent `newest`: hosts begin at random and count up, and what the line lost was
/// counted too. One that has to greet anew begins elsewhere, and is taken for another.
const fn is_of_same_host(newest: u32, sequence: u32) -> bool {
    sequence.wrapping_sub(newest) < STALE
}

/// A transaction, or the first command of a lease with those that it is for, as it came.
struct Request {
    flags: u8,
    packets: Vec<Packet, MAX_COMMANDS>,
}

impl Request {
    /// What `body` asks for, which may have the flags `known`. `follows` if the request before it was this host's and
    /// the newest: then this one is new, even if it was sent before.
    fn read(body: &[u8], known: u8, follows: bool) -> Result<Self, Fault> {
        let (&flags, mut rest) = body.split_first().ok_or(Fault::Malformed)?;
        if flags & !known != 0 {
            return Err(Fault::Unsupported);
        }
        if flags & AGAIN != 0 && !follows {
            return Err(Fault::Forgotten);
        }
        let most = if known == TRANSACT_FLAGS || flags & PLANNED != 0 { MAX_COMMANDS } else { 1 };
        let mut packets = Vec::new();
        while !rest.is_empty() {
            let (packet, behind) = split_packet(rest).ok_or(Fault::Malformed)?;
            rest = behind;
            if packets.len() == most || packets.push(packet).is_err() {
                return Err(Fault::TooLarge);
            }
        }
        Ok(Self { flags, packets })
    }
}
