//! Rates: up, and back down when it does not work.

use super::*;

#[test]
fn both_ends_change_to_a_rate_that_both_have() {
    let (mut client, line) = linked(Open);
    line.borrow_mut().has_rates = true;
    assert!(client.change_rate(921_600).unwrap());
    assert_eq!(line.borrow().rates, [921_600; 2]);
    Device::new(client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
}

#[test]
fn a_rate_that_one_end_lacks_changes_nothing() {
    let (mut client, line) = linked(Open);
    assert!(!client.change_rate(921_600).unwrap());
    line.borrow_mut().has_rates = true;
    let mut client = Client::new(client.release(), 1);
    assert!(!client.change_rate(1_500_000).unwrap());
    assert!(!client.change_rate(3_000_000).unwrap());
    assert_eq!(line.borrow().rates, [BASE_RATE; 2]);
}

#[test]
fn a_host_that_starts_at_the_base_rate_is_found_again() {
    let (mut client, line) = linked(Open);
    line.borrow_mut().has_rates = true;
    assert!(client.change_rate(921_600).unwrap());
    // Another program opens the port anew.
    line.borrow_mut().rates[0] = BASE_RATE;
    let mut client = Client::new(client.release(), 0x3333_0000);
    client.hello().unwrap();
    assert_eq!(line.borrow().rates, [BASE_RATE; 2]);
}

#[test]
fn a_rate_that_nobody_confirms_is_taken_back() {
    let (mut client, line) = linked(Open);
    line.borrow_mut().has_rates = true;
    client.hello().unwrap();
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, Kind::Rate, 5);
    writer.put(&921_600_u32.to_le_bytes());
    writer.end();
    line.borrow_mut().up.extend(writer.frame());
    let near = client.stream_mut();
    let mut far = Far(line.clone());
    near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
    assert_eq!(line.borrow().rates[1], 921_600);
    let start = line.borrow().now;
    while line.borrow().rates[1] != BASE_RATE {
        near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
        assert!(line.borrow().now - start <= RATE_LIMIT + HELLO_INTERVAL);
    }
    client.hello().unwrap();
}
