//! Conversations, with a clock that the test moves.

mod attacks;

extern crate std;

use std::vec::Vec;

use atecc::{Configuration, SerialNumber};
use atecc_emulator::provision::Personality;

use super::*;

const START: Duration = Duration::from_secs(1_000);
const SECOND: Duration = Duration::from_secs(1);

fn packets(slot: u16) -> [Packet; 3] {
    [
        Packet::new(0x1b, 0x00, 0, &[], 32),
        Packet::new(0x16, 0x43, 0, &[&[0x5a; 32]], 1),
        Packet::new(0x41, 0xa0, slot, &[], 64),
    ]
}

fn write() -> [Packet; 1] {
    [Packet::new(0x12, 0x82, 8 << 3, &[&[0; 32]], 1)]
}

fn read() -> [Packet; 1] {
    [Packet::new(0x02, 0x80, 0, &[], 32)]
}

fn press(meaning: Meaning, since: Duration) -> Option<Press> {
    Some(Press { meaning, since })
}

fn found(session: &mut Session, now: Duration) {
    let configuration: Configuration = Personality::TngTls3.make().unwrap().configuration();
    let identity =
        Identity { serial_number: SerialNumber::from_bytes([1; 9]), part: "ATECC608B", signer: Some(0x2c20) };
    session.chip_found(identity, KeySlots::from_configuration(&configuration), now);
}

fn ready(touch: TouchPolicy) -> Session {
    let mut session = Session::new(touch);
    found(&mut session, START);
    assert_eq!(session.state(), State::Ready);
    session
}

/// Asks for a signature and allows it two seconds later; the time after that.
fn signed(session: &mut Session, now: Duration) -> Duration {
    assert_eq!(session.request(&packets(0), Origin::Transaction, now), Answer::Wait);
    let now = now + 2 * SECOND;
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, now), now), Answer::Go);
    session.done(true, now);
    now
}

#[test]
fn a_signature_waits_for_a_finger() {
    let mut session = ready(TouchPolicy::Always);
    assert_eq!(session.request(&packets(0), Origin::Transaction, START), Answer::Wait);
    let State::Asking(request) = session.state() else { panic!() };
    assert_eq!(request.slot, Some(0));
    assert!(request.digest.is_some());
    assert_eq!(session.question_left(START + 10 * SECOND), Some(20 * SECOND));
    assert_eq!(session.answer(&packets(0), None, START + SECOND), Answer::Wait);
    let now = START + 2 * SECOND;
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, now), now), Answer::Go);
    assert_eq!(session.state(), State::Signing(request));
    session.done(true, now);
    assert_eq!((session.state(), session.signatures()), (State::Ready, 1));
    assert_eq!(session.last(), Some(&request));
    // And the next one waits again.
    assert_eq!(session.request(&packets(0), Origin::Transaction, now), Answer::Wait);
}

#[test]
fn reading_needs_nobody() {
    let mut session = ready(TouchPolicy::Always);
    assert_eq!(session.request(&read(), Origin::Transaction, START), Answer::Go);
    session.done(true, START);
    assert_eq!((session.state(), session.signatures()), (State::Ready, 0));
}

#[test]
fn a_finger_that_was_already_there_answers_nothing() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    for since in [START - SECOND, START, START + GUARD - Duration::from_millis(1)] {
        for meaning in [Meaning::Allow, Meaning::Refuse] {
            let now = START + SECOND;
            assert_eq!(session.answer(&packets(0), press(meaning, since), now), Answer::Wait);
        }
    }
    let now = START + GUARD;
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, now), now), Answer::Go);
}

#[test]
fn a_long_press_is_no_answer() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    let now = START + 5 * SECOND;
    assert_eq!(session.answer(&packets(0), press(Meaning::Unlock, now), now), Answer::Wait);
    assert_eq!(session.unlocked(now), None);
}

#[test]
fn nobody_there_is_a_refusal_in_time() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    let end = START + QUESTION_LIMIT;
    assert_eq!(session.answer(&packets(0), None, end - Duration::from_millis(1)), Answer::Wait);
    // Too late is too late, whatever is pressed.
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, end), end), Answer::No(Refusal::TimedOut));
    assert_eq!(session.state(), State::Refused(Refusal::TimedOut));
    session.done(false, end);
    session.idle(None, end + REFUSAL_SHOWN);
    assert_eq!((session.state(), session.signatures()), (State::Ready, 0));
}

#[test]
fn no_is_no() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    let now = START + SECOND;
    assert_eq!(session.answer(&packets(0), press(Meaning::Refuse, now), now), Answer::No(Refusal::Denied));
    assert_eq!(session.state(), State::Refused(Refusal::Denied));
    // The question is gone: a yes after the no answers nothing.
    let late = session.answer(&packets(0), press(Meaning::Allow, now), now);
    assert_eq!(late, Answer::No(Refusal::Cancelled));
    assert_eq!(session.state(), State::Refused(Refusal::Denied));
}

#[test]
fn a_host_can_take_its_question_back() {
    let mut session = ready(TouchPolicy::Always);
    session.withdraw(Refusal::Cancelled, START);
    assert_eq!(session.state(), State::Ready);
    session.request(&packets(0), Origin::Transaction, START);
    session.withdraw(Refusal::Cancelled, START + SECOND);
    assert_eq!(session.state(), State::Refused(Refusal::Cancelled));
    assert_eq!(session.question_left(START), None);
}

#[test]
fn a_second_question_does_not_replace_the_first() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    let shown = session.state();
    let second = session.request(&packets(2), Origin::Transaction, START + SECOND);
    assert_eq!(second, Answer::No(Refusal::Busy));
    assert_eq!(session.state(), shown);
}

#[test]
fn a_refused_request_can_be_followed_by_another() {
    let mut session = ready(TouchPolicy::Always);
    assert!(matches!(session.request(&write(), Origin::Transaction, START), Answer::No(Refusal::Locked(_))));
    assert!(matches!(session.state(), State::Refused(_)));
    signed(&mut session, START + SECOND);
    assert_eq!(session.state(), State::Ready);
}

#[test]
fn once_per_minutes_lasts_minutes() {
    let mut session = ready(TouchPolicy::Every(60 * SECOND));
    let touched = signed(&mut session, START);
    let free = session.request(&packets(0), Origin::Transaction, touched + 59 * SECOND);
    assert_eq!(free, Answer::Go);
    assert!(matches!(session.state(), State::Signing(_)));
    session.done(true, touched + 59 * SECOND);
    assert_eq!(session.signatures(), 2);
    // The use does not renew it.
    let again = session.request(&packets(0), Origin::Transaction, touched + 60 * SECOND);
    assert_eq!(again, Answer::Wait);
}

#[test]
fn never_asks_for_a_signature_and_always_for_a_change() {
    let mut session = ready(TouchPolicy::Never);
    assert_eq!(session.request(&packets(0), Origin::Transaction, START), Answer::Go);
    session.done(true, START);
    session.idle(press(Meaning::Unlock, START), START);
    assert_eq!(session.request(&write(), Origin::Transaction, START), Answer::Wait);
}

#[test]
fn a_change_needs_the_unlocked_device_and_a_finger_each_time() {
    let mut session = ready(TouchPolicy::Every(60 * SECOND));
    session.idle(press(Meaning::Unlock, START), START);
    assert_eq!(session.unlocked(START + 10 * SECOND), Some(50 * SECOND));
    let mut now = START;
    for _ in 0..2 {
        assert_eq!(session.request(&write(), Origin::Transaction, now), Answer::Wait);
        now += SECOND;
        assert_eq!(session.answer(&write(), press(Meaning::Allow, now), now), Answer::Go);
        session.done(true, now);
    }
    assert_eq!(session.signatures(), 0);
    // A touch for a change is none for a signature.
    assert_eq!(session.request(&packets(0), Origin::Transaction, now), Answer::Wait);
    session.withdraw(Refusal::Cancelled, now);
    // After a while it is locked again, and so it is after a short press.
    let end = START + UNLOCK_LIMIT;
    session.idle(None, end);
    assert!(matches!(session.request(&write(), Origin::Kit, end), Answer::No(Refusal::Locked(_))));
    session.idle(press(Meaning::Unlock, end), end);
    session.idle(press(Meaning::Refuse, end), end);
    assert!(matches!(session.request(&write(), Origin::Kit, end), Answer::No(Refusal::Locked(_))));
}

#[test]
fn a_touch_is_not_for_whoever_speaks_the_other_protocol() {
    let mut session = ready(TouchPolicy::Every(60 * SECOND));
    let now = signed(&mut session, START);
    assert_eq!(session.request(&packets(0), Origin::Kit, now), Answer::Wait);
    session.withdraw(Refusal::Cancelled, now);
    // Nor for the first one again.
    assert_eq!(session.request(&packets(0), Origin::Transaction, now), Answer::Wait);
}

#[test]
fn in_a_lease_the_first_command_can_ask_and_no_other() {
    let mut session = ready(TouchPolicy::Always);
    let [_, nonce, sign] = packets(0);
    assert_eq!(session.request(&[nonce], Origin::LeaseBegin, START), Answer::Go);
    session.done(true, START);
    assert_eq!(
        session.request(std::slice::from_ref(&sign), Origin::LeaseNext, START),
        Answer::No(Refusal::TooLateToAsk)
    );
    assert_eq!(session.request(&[sign], Origin::LeaseBegin, START), Answer::Wait);
}

#[test]
fn what_a_lease_is_for_is_asked_at_its_beginning() {
    let mut session = ready(TouchPolicy::Always);
    let [random, nonce, sign] = packets(0);
    let other = Packet::new(0x16, 0x43, 0, &[&[0xa5; 32]], 1);
    let plan = [random.clone(), nonce.clone(), sign.clone()];
    let allow = |session: &mut Session| {
        assert_eq!(session.request(&plan, Origin::LeaseBegin, START), Answer::Wait);
        assert!(matches!(session.state(), State::Asking(request) if request.digest.is_some()));
        let later = START + 2 * GUARD;
        assert_eq!(session.answer(&plan, press(Meaning::Allow, later), later), Answer::Go);
        session.done(true, later);
        // The chip has made a random number; that is no signature.
        assert_eq!(session.state(), State::Ready);
    };
    let next = |session: &mut Session, packet: &Packet| {
        let answer = session.request(std::slice::from_ref(packet), Origin::LeaseNext, START + 2 * GUARD);
        session.done(true, START + 2 * GUARD);
        answer
    };
    allow(&mut session);
    assert_eq!((session.signatures(), next(&mut session, &nonce)), (0, Answer::Go));
    assert_eq!(next(&mut session, &sign), Answer::Go);
    assert_eq!(session.signatures(), 1);
    // Once, and no other digest than the one that was shown.
    assert_eq!(next(&mut session, &sign), Answer::No(Refusal::TooLateToAsk));
    allow(&mut session);
    assert_eq!(next(&mut session, &other), Answer::Go);
    assert_eq!(next(&mut session, &sign), Answer::No(Refusal::TooLateToAsk));
    // Not for the next one who talks.
    allow(&mut session);
    session.handed_over();
    assert_eq!(next(&mut session, &nonce), Answer::Go);
    assert_eq!(next(&mut session, &sign), Answer::No(Refusal::TooLateToAsk));
}

/// Asks for a lease for `plan`, and allows it; then the answer to each of `packets` in it.
fn leased(session: &mut Session, plan: &[Packet], packets: &[Packet]) -> Vec<Answer> {
    let now = START + 2 * GUARD;
    assert_eq!(session.request(plan, Origin::LeaseBegin, START), Answer::Wait);
    assert_eq!(session.answer(plan, press(Meaning::Allow, now), now), Answer::Go);
    session.done(true, now);
    let one = |packet: &Packet| {
        let answer = session.request(std::slice::from_ref(packet), Origin::LeaseNext, now);
        session.done(true, now);
        answer
    };
    packets.iter().map(one).collect()
}

#[test]
fn a_plan_that_lies_gets_nothing_that_was_not_shown() {
    const LATE: Answer = Answer::No(Refusal::TooLateToAsk);
    let [random, nonce, sign] = packets(0);
    let mut session = ready(TouchPolicy::Always);
    session.idle(press(Meaning::Unlock, START), START);
    // What is shown of this one is the same.
    let mut bytes = [0x5a; 32];
    bytes[31] = 0;
    let similar = Packet::new(0x16, 0x43, 0, &[&bytes], 1);
    let plan = [random.clone(), nonce.clone(), sign.clone()];
    assert_eq!(leased(&mut session, &plan, &[similar, sign.clone()]), [Answer::Go, LATE]);
    // A signature was said, and not of what.
    let plan = [random.clone(), sign.clone()];
    assert_eq!(leased(&mut session, &plan, &[nonce.clone(), sign.clone()]), [Answer::Go, LATE]);
    // Another slot's key, another way for the result, other data, another address.
    let ecdh = |mode, slot| Packet::new(0x43, mode, slot, &[&[1; 64]], 32);
    let write = |address, data: &[u8]| Packet::new(0x12, 0x82, address, &[data], 1);
    for (said, done) in [
        (sign, packets(2)[2].clone()),
        (ecdh(0x0c, 0), ecdh(0x0c, 2)),
        (ecdh(0x0e, 0), ecdh(0x0c, 0)),
        (write(8 << 3, &[1; 32]), write(8 << 3, &[2; 32])),
        (write(8 << 3, &[]), write(8 << 3 | 0x100, &[1; 32])),
    ] {
        assert_eq!(leased(&mut session, &[random.clone(), said.clone()], &[done]), [LATE], "{said:?}");
        // What was said is done, once.
        let plan = [random.clone(), said.clone()];
        assert_eq!(leased(&mut session, &plan, &[said.clone(), said]), [Answer::Go, LATE]);
    }
    // What was announced without its data may have any.
    let plan = [random, write(8 << 3, &[])];
    assert_eq!(leased(&mut session, &plan, &[write(8 << 3, &[1; 32])]), [Answer::Go]);
}

#[test]
fn what_a_lease_does_is_counted_when_it_is_done() {
    let mut session = ready(TouchPolicy::Always);
    let [_, nonce, sign] = packets(0);
    let plan = [sign.clone(), nonce.clone(), sign.clone()];
    assert_eq!(leased(&mut session, &plan, &[nonce, sign]), [Answer::Go, Answer::Go]);
    assert_eq!((session.signatures(), session.last().unwrap().count), (2, 1));
}

#[test]
fn a_lease_remembers_the_digest_and_a_transaction_does_not() {
    let mut session = ready(TouchPolicy::Never);
    let [_, nonce, sign] = packets(0);
    let digest = |session: &Session| match session.state() {
        State::Signing(request) => request.digest,
        other => panic!("{other:?}"),
    };
    session.request(std::slice::from_ref(&nonce), Origin::LeaseBegin, START);
    session.request(std::slice::from_ref(&sign), Origin::LeaseNext, START);
    assert!(digest(&session).is_some());
    session.done(true, START);
    session.request(&[nonce], Origin::Transaction, START);
    session.request(&[sign], Origin::Transaction, START);
    assert_eq!(digest(&session), None);
}

#[test]
fn without_a_chip_nothing_is_asked() {
    let mut session = Session::new(TouchPolicy::Always);
    assert_eq!(session.request(&read(), Origin::Transaction, START), Answer::No(Refusal::NoChip));
    session.chip_lost(Event::ChipLost, START);
    assert_eq!(session.state(), State::ChipMissing);
    assert_eq!(session.request(&read(), Origin::Transaction, START), Answer::No(Refusal::NoChip));
    session.idle(press(Meaning::Unlock, START), START);
    found(&mut session, START);
    assert_eq!(session.unlocked(START), None, "nothing is unlocked for a chip that was not there");
}

#[test]
fn a_chip_that_goes_takes_every_permission_with_it() {
    for (event, state) in [(Event::ChipLost, State::ChipMissing), (Event::BusFailed, State::BusFault)] {
        let mut session = ready(TouchPolicy::Every(60 * SECOND));
        let now = signed(&mut session, START);
        session.idle(press(Meaning::Unlock, now), now);
        session.request(&write(), Origin::Transaction, now);
        session.chip_lost(event, now);
        assert_eq!((session.state(), session.identity()), (state, None));
        let late = session.answer(&write(), press(Meaning::Allow, now + SECOND), now + SECOND);
        assert_eq!(late, Answer::No(Refusal::Cancelled));
        found(&mut session, now);
        assert_eq!(session.request(&packets(0), Origin::Transaction, now), Answer::Wait);
        session.withdraw(Refusal::Cancelled, now);
        assert!(matches!(
            session.request(&write(), Origin::Transaction, now),
            Answer::No(Refusal::Locked(_))
        ));
    }
}

#[test]
fn a_failed_signature_is_not_counted() {
    let mut session = ready(TouchPolicy::Never);
    session.request(&packets(0), Origin::Transaction, START);
    session.done(false, START);
    assert_eq!((session.state(), session.signatures(), session.last()), (State::Ready, 0, None));
}

#[test]
fn a_finger_has_time_from_when_the_question_can_be_read() {
    let mut session = ready(TouchPolicy::Always);
    session.request(&packets(0), Origin::Transaction, START);
    let shown = START + SECOND;
    session.question_shown(shown);
    assert_eq!(session.question_left(shown), Some(QUESTION_LIMIT));
    let early = shown + GUARD - Duration::from_millis(1);
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, early), early), Answer::Wait);
    let now = shown + GUARD;
    assert_eq!(session.answer(&packets(0), press(Meaning::Allow, now), now), Answer::Go);
    // Without a question there is none to be shown.
    session.question_shown(now);
    assert_eq!(session.question_left(now), None);
}

#[test]
fn a_chip_that_was_changed_is_looked_at_again() {
    let mut session = ready(TouchPolicy::Never);
    session.request(&packets(0), Origin::Transaction, START);
    session.done(true, START);
    assert!(!session.is_outdated(), "a signature changes nothing");
    session.idle(press(Meaning::Unlock, START), START);
    for succeeded in [false, true] {
        let now = START + SECOND;
        session.request(&write(), Origin::Transaction, START);
        session.answer(&write(), press(Meaning::Allow, now), now);
        session.done(succeeded, now);
        assert_eq!(session.is_outdated(), succeeded);
    }
    found(&mut session, START + 2 * SECOND);
    assert!(!session.is_outdated());
    assert!(session.unlocked(START + 2 * SECOND).is_some(), "it is the same chip");
}
