//! A lease: a conversation of the transport whose packets come from the stream.

use core::{cell::RefCell, ops::ControlFlow, time::Duration};

use super::{Request, Server, is_stale, waiting::Waiting};
use crate::{
    Status, Transport,
    command::ExecutionTime,
    link::{
        AsFault, Asked, Attendant, Decision, Fault, FrameWriter, Gate, Incoming, Kind, LEASE, Origin,
        Progress, Receiver, Stream,
        message::{begin, split, split_packet},
    },
    packet::{Packet, Response},
};

impl Server<'_> {
    /// Serves the lease that `request` begins. What ends it early and is not of it stays pending.
    pub(super) fn lease<S: Stream, T: Transport, G: Gate>(
        &mut self,
        stream: &mut S,
        transport: &mut T,
        gate: &mut G,
        sequence: u32,
        request: Request,
    ) -> Result<(), S::Error>
    where
        T::Error: AsFault,
    {
        let asked = Asked { packets: &request.packets, origin: Origin::LeaseBegin };
        let admitted = match request.packets.first() {
            None => Err(Fault::Malformed),
            Some(_) => self.admit(stream, gate, &asked, Some(sequence))?,
        };
        if let Err(fault) = admitted {
            gate.done(&asked, Err(fault));
            return self.conclude(stream, sequence, Err(fault));
        }
        let end = stream.now() + LEASE;
        let lease = RefCell::new(Lease {
            stream,
            gate,
            receiver: &mut self.receiver,
            pending: &mut self.pending,
            answer: &mut self.answer,
            answered: None,
            origin: Origin::LeaseBegin,
            sequence,
            current: request.packets.first().cloned(),
            end,
            was_awaited: false,
            outcome: Outcome::Over,
            error: None,
        });
        let plan = request.packets.get(1..).unwrap_or_default();
        let result =
            transport.converse(plan, &mut Holder(&lease), &mut |answer| lease.borrow_mut().step(answer));
        let Lease { error, outcome, sequence, current, origin, answered, .. } = lease.into_inner();
        self.newest = Some(sequence);
        self.is_answered = answered == Some(sequence);
        if let Some(error) = error {
            return Err(error);
        }
        let fault = match (outcome, result) {
            (Outcome::Refused(fault), _) => fault,
            (Outcome::Ended, Ok(())) => {
                self.write_answer(sequence, 0, &[]);
                return self.send(stream, sequence);
            }
            // Whoever holds the lease waits for nothing.
            (Outcome::Over, _) if answered == Some(sequence) => return Ok(()),
            (_, Err(error)) => error.as_fault(),
            (Outcome::Over, Ok(())) => Fault::Bus,
        };
        let packets: &[Packet] = current.as_slice();
        gate.done(&Asked { packets, origin }, Err(fault));
        self.conclude(stream, sequence, Err(fault))
    }
}

/// How the stream ended the lease.
enum Outcome {
    /// It was asked to.
    Ended,
    /// The gate said no to a command.
    Refused(Fault),
    /// Time, another talker, an error status, or the transport.
    Over,
}

struct Lease<'a, S: Stream, G> {
    stream: &'a mut S,
    gate: &'a mut G,
    receiver: &'a mut Receiver,
    pending: &'a mut Option<Incoming>,
    answer: &'a mut FrameWriter,
    answered: Option<u32>,
    origin: Origin,
    /// Of the request that is served.
    sequence: u32,
    /// Its command.
    current: Option<Packet>,
    end: Duration,
    /// A bridge on the way waited for a person before the chip woke.
    was_awaited: bool,
    outcome: Outcome,
    error: Option<S::Error>,
}

/// Who holds a lease, while a bridge on the way to the chip waits for a person.
struct Holder<'l, 'a, S: Stream, G>(&'l RefCell<Lease<'a, S, G>>);

impl<S: Stream, G> Attendant for Holder<'_, '_, S, G> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        let mut lease = self.0.borrow_mut();
        lease.was_awaited = true;
        let Lease { stream, receiver, answer, pending, sequence, error, .. } = &mut *lease;
        let mut host = Waiting { stream, receiver, answer, pending, sequence: Some(*sequence), error: None };
        let flow = host.progress(progress);
        *error = host.error;
        flow
    }
}

impl<S: Stream, G: Gate> Lease<'_, S, G> {
    /// Gives the answer to the stream, and the next packet to the chip.
    fn step(&mut self, answer: Option<&Response>) -> Option<Packet> {
        let Some(response) = answer else { return self.current.clone() };
        if core::mem::take(&mut self.was_awaited) {
            self.end = self.stream.now() + LEASE - time_of(self.current.as_ref()).min(LEASE);
        }
        let asked = Asked { packets: self.current.as_slice(), origin: self.origin };
        self.gate.done(&asked, Ok(core::slice::from_ref(response)));
        begin(self.answer, Kind::Answer, self.sequence);
        self.answer.put(&[1]);
        self.answer.put(&response.to_group());
        self.answer.end();
        self.answered = Some(self.sequence);
        let result = self.stream.write(self.answer.frame());
        self.note(result)?;
        match response.status() {
            Some(status) if status != Status::Success => None,
            _ => self.wait(),
        }
    }

    /// The next packet from the stream, while the lease lasts.
    fn wait(&mut self) -> Option<Packet> {
        loop {
            let now = self.stream.now();
            let left = self.end.checked_sub(now).filter(|left| !left.is_zero())?;
            let result = self.receiver.receive(self.stream, left);
            let incoming = self.note(result)?;
            let Some(incoming) = incoming else { continue };
            let message = match incoming {
                Incoming::Frame => split(self.receiver.payload()),
                Incoming::Line => None,
            };
            match message {
                Some((_, sequence, _)) if Some(sequence) == self.answered => {
                    let result = self.stream.write(self.answer.frame());
                    self.note(result)?;
                }
                Some((_, sequence, _)) if is_stale(self.sequence, sequence) => {}
                // Of this lease, and not of one that another host believes to hold.
                Some((code, sequence, body))
                    if code == Kind::Next.code() && sequence == self.sequence.wrapping_add(1) =>
                {
                    self.sequence = sequence;
                    // It was not executed, sent again or not: this lease would know.
                    let packet = body.split_first().and_then(|(_, body)| split_packet(body));
                    self.current = packet.map(|(packet, _)| packet);
                    self.origin = Origin::LeaseNext;
                    if let Err(fault) = self.admit() {
                        self.outcome = Outcome::Refused(fault);
                        return None;
                    }
                    return self.current.clone();
                }
                Some((code, sequence, _))
                    if code == Kind::End.code() && sequence == self.sequence.wrapping_add(1) =>
                {
                    self.sequence = sequence;
                    self.outcome = Outcome::Ended;
                    return None;
                }
                _ => {
                    *self.pending = Some(incoming);
                    return None;
                }
            }
        }
    }

    /// Whether there is time for the present command, and what the gate says to it.
    fn admit(&mut self) -> Result<(), Fault> {
        let packet = self.current.as_ref().ok_or(Fault::Malformed)?;
        let asked = Asked { packets: core::slice::from_ref(packet), origin: self.origin };
        // The chip would fall asleep over it.
        if self.stream.now() + time_of(Some(packet)) > self.end {
            return Err(Fault::LeaseExpired);
        }
        match self.gate.decide(&asked) {
            Decision::Allow => Ok(()),
            Decision::Ask(_) => Err(Fault::Refused { opcode: packet.opcode() }),
            Decision::Refuse(fault) => Err(fault),
        }
    }

    /// Keeps the stream's error, which ends everything.
    fn note<V>(&mut self, result: Result<V, S::Error>) -> Option<V> {
        result.map_err(|error| self.error = Some(error)).ok()
    }
}

/// How long the chip works at `packet`, as a rule.
fn time_of(packet: Option<&Packet>) -> Duration {
    let typical_us = packet.map_or(0, |packet| ExecutionTime::of(packet.opcode()).typical_us);
    Duration::from_micros(typical_us.into())
}
