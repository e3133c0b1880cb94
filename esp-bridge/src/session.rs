//! One device and whoever talks to it: what is asked, what is answered, what is shown.
//!
//! Nothing here waits or touches a pin. Whoever runs it tells it the time with each call, which is the time since
//! any fixed moment.

#[cfg(test)]
mod tests;

use core::time::Duration;

pub use atecc::link::Origin;
use atecc::packet::Packet;

use crate::{
    identity::Identity,
    policy::{KeySlots, Memory, Policy, Promises, Refusal, Request, Verdict},
    state::{Event, State},
    touch::{GUARD, Meaning, Press, QUESTION_LIMIT, TouchPolicy, UNLOCK_LIMIT},
};

/// How long a refusal stays on the screen.
pub const REFUSAL_SHOWN: Duration = Duration::from_secs(4);

/// What is to be done with a request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Hand it to the chip.
    Go,
    /// Ask again soon: a finger is awaited.
    Wait,
    /// Tell the host no.
    No(Refusal),
}

/// The two protocols of the port; two programs may share it, each with its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talker {
    Link,
    Kit,
}

/// A question on the screen.
#[derive(Clone, Copy, Debug)]
struct Question {
    request: Request,
    asked: Duration,
}

/// The device's side of all conversations.
#[derive(Debug, Default)]
pub struct Session {
    policy: Policy,
    touch: TouchPolicy,
    state: State,
    changed: Duration,
    identity: Option<Identity>,
    memory: Memory,
    talker: Option<Talker>,
    question: Option<Question>,
    touched: Option<Duration>,
    unlocked: Option<Duration>,
    last: Option<Request>,
    signatures: u32,
    is_outdated: bool,
    /// What is still to come of the lease that was allowed.
    promised: Promises,
    /// The request is the beginning of a lease.
    is_lease: bool,
    /// The chip works at what only prepares what was allowed.
    is_preparing: bool,
}

impl Session {
    /// A device that has just been switched on, with this touch policy.
    pub fn new(touch: TouchPolicy) -> Self {
        Self { touch, ..Self::default() }
    }

    /// What the device is doing.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When it began to.
    pub const fn changed(&self) -> Duration {
        self.changed
    }

    /// What the chip says of itself.
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The touch policy.
    pub const fn touch(&self) -> TouchPolicy {
        self.touch
    }

    /// Signatures, and other uses of a key, since power came on.
    pub const fn signatures(&self) -> u32 {
        self.signatures
    }

    /// The last request that was carried out.
    pub const fn last(&self) -> Option<&Request> {
        self.last.as_ref()
    }

    /// How long the chip can still be changed.
    pub fn unlocked(&self, now: Duration) -> Option<Duration> {
        let left = (self.unlocked? + UNLOCK_LIMIT).saturating_sub(now);
        (!left.is_zero()).then_some(left)
    }

    /// How long the question on the screen stays open.
    pub fn question_left(&self, now: Duration) -> Option<Duration> {
        self.question.map(|question| (question.asked + QUESTION_LIMIT).saturating_sub(now))
    }

    /// Whether the chip was changed since it said which keys it has.
    pub const fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// The chip was found, with this identity and these keys.
    pub fn chip_found(&mut self, identity: Identity, keys: KeySlots, now: Duration) {
        self.policy = Policy::new(keys);
        self.identity = Some(identity);
        self.is_outdated = false;
        self.memory = Memory::EMPTY;
        self.enter(Event::ChipFound, now);
    }

    /// The chip does not answer (`ChipLost`), or the bus does not work (`BusFailed`). What was known is forgotten:
    /// the next chip may be another.
    pub fn chip_lost(&mut self, event: Event, now: Duration) {
        self.policy = Policy::default();
        self.identity = None;
        self.question = None;
        self.unlocked = None;
        self.touched = None;
        self.is_outdated = false;
        self.handed_over();
        self.enter(event, now);
    }

    /// Judges the packets of one transaction.
    ///
    /// After [`Answer::Go`] the caller hands them to the chip and calls [`done`](Self::done). After
    /// [`Answer::Wait`] it calls [`answer`](Self::answer) until that says something else, or
    /// [`withdraw`](Self::withdraw).
    pub fn request(&mut self, packets: &[Packet], origin: Origin, now: Duration) -> Answer {
        self.hand_over(origin);
        self.is_lease = origin == Origin::LeaseBegin;
        if !self.state.has_chip() {
            return Answer::No(Refusal::NoChip);
        }
        if self.question.is_some() {
            // Not shown: the question on the screen must not be wiped away by a second one.
            return Answer::No(Refusal::Busy);
        }
        let unlocked = self.unlocked(now).is_some();
        match self.policy.judge(packets, &self.memory, unlocked) {
            Verdict::Free => self.go(packets, None, now),
            Verdict::UsesKey(request) if self.touch.is_satisfied(self.touched, now) => {
                self.go(packets, Some(request), now)
            }
            Verdict::UsesKey(request) | Verdict::Changes(request)
                if origin == Origin::LeaseNext && self.was_promised(packets) =>
            {
                self.go(packets, Some(request), now)
            }
            // The chip is awake, and its watchdog does not wait for a finger.
            Verdict::UsesKey(_) | Verdict::Changes(_) if origin == Origin::LeaseNext => {
                self.refuse(Refusal::TooLateToAsk, now)
            }
            Verdict::UsesKey(request) | Verdict::Changes(request) => {
                self.question = Some(Question { request, asked: now });
                self.enter(Event::Asked(request), now);
                Answer::Wait
            }
            Verdict::Refused(refusal) => self.refuse(refusal, now),
        }
    }

    /// The question can be read since `now`, which is when its time begins: a display takes a while.
    pub const fn question_shown(&mut self, now: Duration) {
        if let Some(question) = &mut self.question {
            question.asked = now;
        }
    }

    /// Goes on with the question for `packets`, the same ones that it was asked for.
    pub fn answer(&mut self, packets: &[Packet], press: Option<Press>, now: Duration) -> Answer {
        let Some(Question { request, asked }) = self.question else {
            return Answer::No(Refusal::Cancelled);
        };
        // A finger that was already down, or came down before anybody can have read, answers nothing.
        let press = press.filter(|press| press.since >= asked + GUARD);
        match press.map(|press| press.meaning) {
            Some(Meaning::Allow) if now < asked + QUESTION_LIMIT => {
                self.question = None;
                // A change is allowed once; it says nothing about the next signature.
                if !request.changes {
                    self.touched = Some(now);
                }
                self.go(packets, Some(request), now)
            }
            Some(Meaning::Refuse) => self.refuse(Refusal::Denied, now),
            _ if now >= asked + QUESTION_LIMIT => self.refuse(Refusal::TimedOut, now),
            _ => Answer::Wait,
        }
    }

    /// Nobody waits for the answer any more, which is why.
    pub fn withdraw(&mut self, why: Refusal, now: Duration) {
        if self.question.is_some() {
            self.refuse(why, now);
        }
    }

    /// The chip is done with what it was given, and it worked or not.
    pub fn done(&mut self, succeeded: bool, now: Duration) {
        if let State::Signing(request) = self.state {
            let is_done = !core::mem::take(&mut self.is_preparing);
            if succeeded && is_done {
                self.last = Some(request);
                // A change may be one of the rules by which the policy judges.
                self.is_outdated |= request.changes;
                if !request.changes {
                    self.signatures = self.signatures.saturating_add(u32::from(request.count));
                }
            }
            self.enter(Event::Done, now);
        }
    }

    /// A press while no question is open, and the passing of time.
    pub fn idle(&mut self, press: Option<Press>, now: Duration) {
        if self.question.is_none() && self.state.has_chip() {
            match press.map(|press| press.meaning) {
                Some(Meaning::Unlock) => self.unlocked = Some(now),
                Some(Meaning::Refuse) => self.unlocked = None,
                Some(Meaning::Allow) | None => {}
            }
        }
        if self.unlocked(now).is_none() {
            self.unlocked = None;
        }
        if now.saturating_sub(self.changed) >= REFUSAL_SHOWN {
            self.enter(Event::Rested, now);
        }
    }

    /// Each transaction begins with a chip that has slept. A touch is not for whoever speaks the other protocol.
    fn hand_over(&mut self, origin: Origin) {
        if origin != Origin::LeaseNext {
            self.handed_over();
        }
        let talker = if origin == Origin::Kit { Talker::Kit } else { Talker::Link };
        if self.talker.is_some_and(|before| before != talker) {
            self.touched = None;
        }
        self.talker = Some(talker);
    }

    /// Somebody else talks, and the chip slept: what was promised to another is not for them.
    pub fn handed_over(&mut self) {
        self.memory = Memory::EMPTY;
        self.promised.clear();
        self.is_preparing = false;
    }

    /// Whether somebody allowed these packets of a lease at its beginning, for once.
    fn was_promised(&mut self, packets: &[Packet]) -> bool {
        matches!(packets, [packet] if self.promised.take(packet, &self.memory))
    }

    fn go(&mut self, packets: &[Packet], request: Option<Request>, now: Duration) -> Answer {
        let (mut packets, mut request) = (packets, request);
        if self.is_lease
            && let Some((first, _)) = packets.split_first_chunk::<1>()
        {
            // The others come one by one, and each must be what was said.
            self.promised = self.policy.promises(packets, &self.memory);
            self.is_preparing = !self.was_promised(first);
            packets = first;
            if let Verdict::UsesKey(begun) | Verdict::Changes(begun) =
                self.policy.judge(first, &self.memory, true)
            {
                request = Some(begun);
            }
        }
        packets.iter().for_each(|packet| self.memory.follow(packet));
        if let Some(request) = request {
            self.enter(Event::Started(request), now);
        }
        Answer::Go
    }

    fn refuse(&mut self, refusal: Refusal, now: Duration) -> Answer {
        self.question = None;
        self.enter(Event::Refused(refusal), now);
        Answer::No(refusal)
    }

    fn enter(&mut self, event: Event, now: Duration) {
        let next = self.state.after(event);
        if next != self.state || matches!(event, Event::Refused(_)) {
            self.state = next;
            self.changed = now;
        }
    }
}
