//! Who is asked before something is signed, and what that decides.

use std::{net::Shutdown, os::unix::net::UnixStream, thread, time::Instant};

use atecc::{Slot, Transport, link::Error as LinkError, link::Fault, packet::Packet};
use esp_bridge::{policy::Refusal, state::State, touch::Meaning, touch::TouchPolicy};

use super::bench::{Bench, DIGEST, fault, with_firmware};

#[test]
fn a_signature_is_made_when_somebody_agrees() {
    with_firmware(TouchPolicy::Always, |bench| {
        let mut host = bench.host();
        let key = host.public_key(Slot::PRIMARY_KEY).unwrap();
        bench.will(Meaning::Allow);
        let signature = host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
        assert!(key.verify(&DIGEST, &signature));
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.digest.is_some()));
    });
}

#[test]
fn a_signature_is_not_made_when_somebody_refuses() {
    with_firmware(TouchPolicy::Always, |bench| {
        bench.will(Meaning::Refuse);
        assert_eq!(fault(bench.host().sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::Denied);
        bench.wait_for(|state| matches!(state, State::Refused(_)));
    });
}

#[test]
fn a_signature_is_not_made_when_nobody_is_there() {
    with_firmware(TouchPolicy::Always, |bench| {
        let start = Instant::now();
        assert_eq!(fault(bench.host().sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::NotTouched);
        assert!((29..35).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        bench.wait_for(|state| matches!(state, State::Refused(_)));
        // And the device goes on.
        bench.will(Meaning::Allow);
        bench.host().sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

#[test]
fn nobody_is_asked_where_the_policy_says_never() {
    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        let key = host.public_key(Slot::PRIMARY_KEY).unwrap();
        for _ in 0..5 {
            assert!(key.verify(&DIGEST, &host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap()));
        }
    });
}

#[test]
fn a_question_of_a_host_that_is_gone_is_taken_off_the_screen() {
    with_firmware(TouchPolicy::Always, |bench| {
        thread::scope(|scope| {
            let asking = scope.spawn(|| bench.host().sign(Slot::PRIMARY_KEY, &DIGEST));
            bench.wait_for(|state| matches!(state, State::Asking(_)));
            bench.port.shutdown(Shutdown::Both).unwrap();
            assert!(asking.join().unwrap().is_err());
        });
        bench.wait_for(|state| *state == State::Refused(Refusal::Cancelled));
        // Who comes next is not told that another question is open.
        let (port, far) = UnixStream::pair().unwrap();
        *bench.plugged.lock().unwrap() = Some(far);
        bench.will(Meaning::Allow);
        Bench::host_on(&port).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

/// The chip is awake in a lease, and would not wait for a finger: it is asked for before.
#[test]
fn a_lease_that_says_what_it_is_for_gets_its_touch() {
    with_firmware(TouchPolicy::Always, |bench| {
        let key = bench.host().public_key(Slot::PRIMARY_KEY).unwrap();
        let read = Packet::new(0x02, 0x80, 0, &[], 32);
        let ecdh = Packet::new(0x43, 0x0c, 0, &[key.as_bytes()], 32);
        let mut host = bench.host().into_transport();
        let mut lease = |plan: &[Packet]| {
            let mut packets = [read.clone(), ecdh.clone()].into_iter();
            let mut lengths = Vec::new();
            let result = host.converse(plan, &mut (), &mut |answer| {
                lengths.extend(answer.map(|answer| answer.data().len()));
                packets.next()
            });
            result.map(|()| lengths)
        };
        assert!(matches!(lease(&[]), Err(LinkError::Fault(Fault::NotTouched))));
        bench.will(Meaning::Allow);
        assert_eq!(lease(std::slice::from_ref(&ecdh)).unwrap(), [32, 32]);
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.slot == Some(0)));
        bench.will(Meaning::Refuse);
        assert!(matches!(lease(std::slice::from_ref(&ecdh)), Err(LinkError::Fault(Fault::Denied))));
    });
}
