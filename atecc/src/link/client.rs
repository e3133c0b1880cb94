//! The near end: a [`Transport`] over a stream.

mod error;
mod exchange;

use core::{ops::ControlFlow, time::Duration};

pub use error::Error;

use super::{
    BASE_RATE, BUSY_INTERVAL, BUSY_LIMIT, Capabilities, Fault, FrameWriter, HELLO_INTERVAL, HELLO_LIMIT,
    Kind, Progress, RATE_LIMIT, Receiver, Stream, VERSION, Welcome,
    message::{LAST_ONLY, PLANNED, split, split_response},
};
use crate::{
    Responses, Status, Transport, Wanted,
    command::{ExecutionTime, is_repeatable},
    packet::{Packet, Response},
    transport::MAX_COMMANDS,
    zone::ClockDivider,
};

/// Time that a request takes on the way and at the far end, beside the chip's.
const WAY: Duration = Duration::from_millis(150);
/// One byte at the base rate, both ways.
const BYTE: Duration = Duration::from_micros(175);
/// How long a new rate may take to be confirmed.
const CONFIRM: Duration = Duration::from_millis(400);

/// Told while a request takes long, and asked whether to go on.
pub trait Attendant {
    /// The far end is at `progress`. [`ControlFlow::Break`] cancels the request.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }
}

/// Waits as long as the far end does.
impl Attendant for () {}

/// What a client has sent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests, each counted once.
    pub requests: u64,
    /// Requests sent again.
    pub repeats: u64,
}

/// The chip at the other end of a stream.
///
/// The far end is asked who it is before the first request, and told apart by [`Welcome`]: whether it is emulated
/// is known before any answer of the chip is.
pub struct Client<S, A = ()> {
    stream: S,
    attendant: A,
    receiver: Receiver,
    request: FrameWriter,
    sequence: u32,
    /// How often the last request was sent.
    attempts: u32,
    welcome: Option<Welcome>,
    counters: Counters,
}

impl<S: Stream> Client<S> {
    /// The far end of `stream`. Nothing is sent. `sequence`, the first sequence number, should be random: it tells
    /// this client's answers from those to one before it.
    pub const fn new(stream: S, sequence: u32) -> Self {
        Self::with_attendant(stream, sequence, ())
    }
}

impl<S: Stream, A: Attendant> Client<S, A> {
    /// As [`new`](Client::new), with somebody to tell when it takes long.
    pub const fn with_attendant(stream: S, sequence: u32, attendant: A) -> Self {
        Self {
            stream,
            attendant,
            receiver: Receiver::new(),
            request: FrameWriter::new(),
            sequence,
            attempts: 0,
            welcome: None,
            counters: Counters { requests: 0, repeats: 0 },
        }
    }

    /// The stream, for what it knows beside the chip.
    pub const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream; ends the use of this value.
    pub fn release(self) -> S {
        self.stream
    }

    /// What has been sent so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Asks the far end who it is, for [`HELLO_LIMIT`] at most.
    ///
    /// # Errors
    /// When nobody answers, or with another version of the protocol.
    pub fn hello(&mut self) -> Result<&Welcome, Error<S::Error>> {
        self.hello_within(HELLO_LIMIT)
    }

    /// As [`hello`](Self::hello), for less than half a second: whether somebody listens at this rate.
    ///
    /// # Errors
    /// As [`hello`](Self::hello).
    pub fn try_hello(&mut self) -> Result<&Welcome, Error<S::Error>> {
        self.hello_within(CONFIRM)
    }

    fn hello_within(&mut self, limit: Duration) -> Result<&Welcome, Error<S::Error>> {
        self.welcome = None;
        let result = self.exchange(Kind::Hello, true, HELLO_INTERVAL, limit, &mut (), |request, _| {
            request.put(&[VERSION]);
        });
        match result {
            Err(Error::NoAnswer { .. }) => {
                // Not where the far end may take it for a request of long ago.
                self.sequence = self.sequence.wrapping_add(0x1000);
                return Err(Error::NoBridge);
            }
            result => result?,
        }
        let welcome = match split(self.receiver.payload()) {
            Some((code, _, body)) if code == Kind::Welcome.code() => Welcome::read(body),
            _ => None,
        };
        let welcome = welcome.ok_or(Error::Damaged)?;
        if !welcome.fits() {
            return Err(Error::Version { theirs: welcome.version });
        }
        Ok(self.welcome.insert(welcome))
    }

    /// What the far end said of itself, asking it if it was not asked yet.
    ///
    /// # Errors
    /// As [`hello`](Self::hello).
    pub fn welcome(&mut self) -> Result<&Welcome, Error<S::Error>> {
        if self.welcome.is_none() {
            self.hello()?;
        }
        self.welcome.as_ref().ok_or(Error::NoBridge)
    }

    /// Runs the line at `rate` baud, if both ends can. Returns whether it now does; if not, it runs at
    /// [`BASE_RATE`], or as it did.
    ///
    /// # Errors
    /// When the far end is lost.
    pub fn change_rate(&mut self, rate: u32) -> Result<bool, Error<S::Error>> {
        if !self.welcome()?.capabilities.contains(Capabilities::RATE) || !self.stream.has_rate(rate) {
            return Ok(false);
        }
        let body = |request: &mut FrameWriter, _| request.put(&rate.to_le_bytes());
        match self.exchange(Kind::Rate, true, HELLO_INTERVAL, HELLO_INTERVAL * 2, &mut (), body) {
            Err(Error::Fault(Fault::Unsupported)) => return Ok(false),
            // The answer may have been lost: the line may already run at the new rate.
            Ok(()) | Err(Error::NoAnswer { .. }) => {}
            Err(error) => return Err(error),
        }
        self.stream.set_rate(rate).map_err(Error::Stream)?;
        match self.hello_within(CONFIRM) {
            Ok(_) => return Ok(true),
            Err(Error::NoBridge) => {}
            Err(error) => return Err(error),
        }
        self.stream.set_rate(BASE_RATE).map_err(Error::Stream)?;
        // The far end takes the rate back by itself.
        self.hello_within(HELLO_LIMIT + RATE_LIMIT).map(|_| false)
    }

    /// Longest request payload that the far end takes.
    fn longest_request(&mut self) -> Result<usize, Error<S::Error>> {
        Ok(usize::from(self.welcome()?.max_request))
    }

    fn chip(
        &mut self,
        kind: Kind,
        flags: u8,
        is_repeatable: bool,
        commands: &[Packet],
        plan: &[Packet],
        attendant: &mut dyn Attendant,
    ) -> Result<(), Error<S::Error>> {
        let longest = self.longest_request()?;
        let bytes: usize = commands.iter().chain(plan).map(|packet| packet.as_bytes().len()).sum();
        if 6 + bytes > longest {
            return Err(Error::TooLarge);
        }
        let chip: u32 = commands
            .iter()
            .map(|packet| ExecutionTime::of(packet.opcode()).longest_us(ClockDivider::M0))
            .sum();
        let answers: usize =
            commands.iter().map(|packet| packet.response_data().unwrap_or_default() + 3).sum();
        let line = BYTE * (bytes + answers) as u32;
        let wait = WAY + Duration::from_micros(chip.into()) + line;
        let body = |request: &mut FrameWriter, again: u8| {
            request.put(&[flags | again]);
            commands.iter().chain(plan).for_each(|packet| request.put(packet.as_bytes()));
        };
        let start = self.stream.now();
        loop {
            let result = match self.exchange(kind, is_repeatable, wait, super::ANSWER_LIMIT, attendant, body)
            {
                // The far end has started anew, and this request did not run, or may run twice.
                Err(Error::Fault(Fault::Forgotten))
                    if kind != Kind::Next && (is_repeatable || self.attempts == 1) =>
                {
                    self.hello()?;
                    self.exchange(kind, is_repeatable, wait, super::ANSWER_LIMIT, attendant, body)
                }
                result => result,
            };
            let is_late = self.stream.now().saturating_sub(start) >= BUSY_LIMIT;
            match result {
                // Nothing of it was begun. A lease that is over does not come back.
                Err(Error::Fault(Fault::Busy)) if kind != Kind::Next && !is_late => self.pause()?,
                result => return result,
            }
        }
    }

    /// Lets others have the far end for a while. What comes meanwhile is for nobody here.
    fn pause(&mut self) -> Result<(), Error<S::Error>> {
        let end = self.stream.now() + BUSY_INTERVAL;
        loop {
            let left = end.saturating_sub(self.stream.now());
            if left.is_zero() {
                return Ok(());
            }
            self.receiver.receive(&mut self.stream, left).map_err(Error::Stream)?;
        }
    }

    /// The answers in the receiver: how many commands were answered, and the answers to `commands`.
    fn answers(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
    ) -> Result<usize, Error<S::Error>> {
        let Some((code, _, body)) = split(self.receiver.payload()) else { return Err(Error::Damaged) };
        let (Some((&answered, mut rest)), true) = (body.split_first(), code == Kind::Answer.code()) else {
            return Err(Error::Damaged);
        };
        let answered = usize::from(answered);
        if answered > commands.len() {
            return Err(Error::Damaged);
        }
        let first = if wanted == Wanted::Last { answered.saturating_sub(1) } else { 0 };
        for packet in commands.get(first..answered).unwrap_or_default() {
            let (response, behind) = split_response(rest).ok_or(Error::Damaged)?;
            rest = behind;
            // What is no error has the length that the command's result has.
            let expected = packet.response_data();
            if !is_error(&response) && expected.is_some_and(|length| length != response.data().len()) {
                return Err(Error::Damaged);
            }
            responses.push(response).map_err(|_| Error::Damaged)?;
        }
        let is_complete = answered == commands.len() || responses.last().is_some_and(is_error);
        if rest.is_empty() && is_complete { Ok(answered) } else { Err(Error::Damaged) }
    }
}

impl<S: Stream, A: Attendant> Transport for Client<S, A> {
    type Error = Error<S::Error>;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        responses.clear();
        if commands.len() > MAX_COMMANDS {
            return Err(Error::TooLarge);
        }
        let is_repeatable = commands.iter().all(repeatable);
        let flags = if wanted == Wanted::Last { LAST_ONLY } else { 0 };
        self.chip(Kind::Transact, flags, is_repeatable, commands, &[], attendant)?;
        let result = self.answers(commands, wanted, responses);
        self.receiver.clear();
        result
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        // An older far end asks for nothing in a lease, or refuses what it would have to ask for.
        let knows = self.welcome()?.capabilities.contains(Capabilities::PLAN);
        let mut plan = if knows { plan.get(..MAX_COMMANDS - 1).unwrap_or(plan) } else { &[] };
        let mut kind = Kind::Lease;
        let mut packet = next(None);
        while let Some(command) = packet {
            let commands = core::slice::from_ref(&command);
            let is_repeatable = kind == Kind::Lease && repeatable(&command);
            let flags = if plan.is_empty() { 0 } else { PLANNED };
            self.chip(kind, flags, is_repeatable, commands, plan, attendant)?;
            // Said once, with the first.
            plan = &[];
            let mut responses = Responses::new();
            let result = self.answers(commands, Wanted::All, &mut responses);
            self.receiver.clear();
            result?;
            let response = responses.first().ok_or(Error::Damaged)?;
            packet = next(Some(response));
            match response.status() {
                Some(status @ (Status::AfterWake | Status::WatchdogAboutToExpire)) => {
                    return Err(Error::Fault(Fault::SequenceLost(status)));
                }
                // The far end has ended the lease.
                Some(status) if status != Status::Success => return Ok(()),
                _ => kind = Kind::Next,
            }
        }
        if kind == Kind::Next {
            self.exchange(Kind::End, true, WAY, super::ANSWER_LIMIT, &mut (), |_, _| {})?;
        }
        Ok(())
    }
}

fn repeatable(packet: &Packet) -> bool {
    is_repeatable(packet.opcode(), packet.param1())
}

fn is_error(response: &Response) -> bool {
    response.status().is_some_and(|status| status != Status::Success)
}
