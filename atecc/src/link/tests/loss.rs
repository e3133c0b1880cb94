//! What the line loses.

use super::*;

fn increment() -> Packet {
    Packet::new(0x24, 1, 0, &[], 4)
}

#[test]
fn a_lost_answer_is_given_again_and_nothing_is_executed_twice() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    for lost in 0..4 {
        let before = client.stream_mut().transport.counter;
        line.borrow_mut().lost[1] = lost;
        let mut responses = Responses::new();
        client.transact(&[increment()], &mut responses).unwrap();
        assert_eq!(client.stream_mut().transport.counter, before + 1);
        assert_eq!(responses[0].data(), (before + 1).to_le_bytes());
    }
    assert_eq!(client.counters().repeats, 6);
}

#[test]
fn a_lost_request_is_sent_again_and_executed_once() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    for lost in 0..4 {
        let before = client.stream_mut().transport.counter;
        line.borrow_mut().lost[0] = lost;
        client.transact(&[increment()], &mut Responses::new()).unwrap();
        assert_eq!(client.stream_mut().transport.counter, before + 1);
    }
}

#[test]
fn what_must_not_be_repeated_is_not_repeated_after_a_restart_of_the_far_end() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    // It is executed, and the answer is lost with all memory of it.
    line.borrow_mut().lost[1] = 1;
    let near = client.stream_mut();
    let mut far = Far(line.clone());
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, Kind::Transact, 0x1000_0002);
    writer.put(&[0]);
    writer.put(increment().as_bytes());
    writer.end();
    line.borrow_mut().up.extend(writer.frame());
    near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
    assert_eq!(near.transport.counter, 1);
    near.server = Server::new(ABOUT);
    // The first sending is lost, so that the second bears the mark.
    line.borrow_mut().lost[0] = 1;
    let error = client.transact(&[increment()], &mut Responses::new()).unwrap_err();
    assert!(matches!(error, Error::Fault(Fault::Forgotten)), "{error:?}");
    assert_eq!(client.stream_mut().transport.counter, 1);
}

#[test]
fn what_may_be_repeated_survives_a_restart_of_the_far_end() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    client.stream_mut().server = Server::new(ABOUT);
    line.borrow_mut().lost[0] = 1;
    Device::new(client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
}

#[test]
fn the_answer_to_somebody_else_is_not_taken() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    // A signature for another process, or for an earlier request of this one.
    for sequence in [0x1000_0001, 0x7777_0002] {
        let mut writer = FrameWriter::new();
        message::begin(&mut writer, Kind::Answer, sequence);
        writer.put(&[3]);
        writer.put(&Response::new(&[0xee; 64]).unwrap().to_group());
        writer.end();
        line.borrow_mut().down.extend(writer.frame());
    }
    let signature = Device::new(client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    assert_ne!(signature.as_bytes(), &[0xee; 64]);
}

#[test]
fn boot_text_and_half_frames_are_passed_over() {
    let (mut client, line) = linked(Open);
    let boot = b"\xff\xf0ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x17\r\nload:0x3fff0030,len:1344\r\n";
    line.borrow_mut().down.extend(boot);
    line.borrow_mut().up.extend(b"\x02\x00\x17half a request of a host that was killed");
    client.hello().unwrap();
    line.borrow_mut().down.extend(&boot[..40]);
    line.borrow_mut().up.extend(b"\x00\x02\x17\x88");
    Device::new(client).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
}

#[test]
fn an_echo_is_not_taken_for_an_answer() {
    let (mut client, line) = linked(Open);
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, Kind::Hello, 0x1000_0001);
    writer.put(&[VERSION]);
    writer.end();
    line.borrow_mut().down.extend(writer.frame());
    line.borrow_mut().lost[1] = u32::MAX;
    assert!(matches!(client.hello(), Err(Error::NoBridge)));
}

#[test]
fn a_frame_may_come_in_pieces() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, Kind::Transact, 5);
    writer.put(&[0]);
    writer.put(increment().as_bytes());
    writer.end();
    let near = client.stream_mut();
    let mut far = Far(line.clone());
    for byte in writer.frame() {
        line.borrow_mut().up.push_back(*byte);
        // Two or three looks between two bytes.
        for _ in 0..3 {
            near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
        }
    }
    assert_eq!(near.transport.counter, 1);
    // With more than a moment between them, they do not belong together.
    let half = writer.frame().len() / 2;
    line.borrow_mut().up.extend(&writer.frame()[..half]);
    for _ in 0..12 {
        near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
    }
    line.borrow_mut().up.extend(&writer.frame()[half..]);
    line.borrow_mut().said.clear();
    near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap();
    assert!(line.borrow().said.is_empty());
}

#[test]
fn a_request_that_the_line_held_back_is_not_executed_late() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    for _ in 0..3 {
        client.transact(&[increment()], &mut Responses::new()).unwrap();
    }
    let mut writer = FrameWriter::new();
    // The first of the three, as it was sent.
    message::begin(&mut writer, Kind::Transact, 0x1000_0002);
    writer.put(&[0]);
    writer.put(increment().as_bytes());
    writer.end();
    line.borrow_mut().up.extend(writer.frame());
    client.transact(&[increment()], &mut Responses::new()).unwrap();
    assert_eq!(client.stream_mut().transport.counter, 4);
}

#[test]
fn a_far_end_that_starts_anew_is_greeted_anew() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    client.transact(&[increment()], &mut Responses::new()).unwrap();
    client.stream_mut().server = Server::new(ABOUT);
    client.transact(&[increment()], &mut Responses::new()).unwrap();
    assert_eq!(client.stream_mut().transport.counter, 2);
    // Hello, two requests, one of them refused, greeted and sent again.
    assert_eq!(line.borrow().trips, 5);
}
