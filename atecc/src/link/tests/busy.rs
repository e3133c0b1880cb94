//! A far end that has others to serve first.

use super::{
    lease::{apart, hold, random},
    *,
};

/// Has no time for so many requests.
struct Occupied(u32);

impl Gate for Occupied {
    fn decide(&mut self, _: &Asked<'_>) -> Decision {
        if self.0 == 0 {
            return Decision::Allow;
        }
        self.0 -= 1;
        Decision::Refuse(Fault::Busy)
    }
}

#[test]
fn who_comes_when_others_are_served_asks_again() {
    let (mut client, line) = linked(Occupied(5));
    let count = Packet::new(0x24, 0x01, 0, &[], 4);
    client.hello().unwrap();
    let mut responses = Responses::new();
    client.transact(core::slice::from_ref(&count), &mut responses).unwrap();
    assert!(line.borrow().now >= BUSY_INTERVAL * 5);
    assert_eq!(responses[0].data(), [1, 0, 0, 0], "not begun, so it may be asked again");
    // And at the beginning of a lease; the chip gives an error, so that this is its end too.
    client.stream_mut().gate.0 = 5;
    client.stream_mut().transport.status = Some(0x0f);
    client.converse(&[], &mut (), &mut |_| Some(count.clone())).unwrap();
    assert_eq!(client.stream_mut().transport.asked.len(), 2);
}

#[test]
fn a_far_end_that_is_always_busy_is_given_up() {
    let (mut client, line) = linked(Occupied(u32::MAX));
    client.hello().unwrap();
    let before = line.borrow().now;
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    let error = client.transact(&[random], &mut Responses::new()).unwrap_err();
    assert!(matches!(error, Error::Fault(Fault::Busy)), "{error:?}");
    let waited = line.borrow().now - before;
    assert!((BUSY_LIMIT..BUSY_LIMIT + ANSWER_LIMIT).contains(&waited), "{waited:?}");
}

/// Is called away in the middle of a lease.
struct CalledAway;

impl Gate for CalledAway {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        if asked.origin == Origin::LeaseNext { Decision::Refuse(Fault::Busy) } else { Decision::Allow }
    }
}

#[test]
fn a_lease_that_was_ended_is_not_gone_on_with() {
    let asked = apart(CalledAway, |client| {
        let error = hold(client, std::vec![random(); 2], Duration::ZERO).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Busy)), "{error:?}");
    });
    assert_eq!(asked.len(), 1);
}
