//! Text on the same line as frames.

use super::*;

/// What the far end says to `text`.
fn said(near: &mut Near<Chip, impl Gate>, text: &[u8]) -> std::string::String {
    near.line.borrow_mut().up.extend(text);
    near.line.borrow_mut().said.clear();
    let mut far = Far(near.line.clone());
    while near.server.poll(&mut far, &mut near.transport, &mut near.gate).unwrap() {}
    let said = near.line.borrow().said.concat();
    std::string::String::from_utf8_lossy(&said).into_owned()
}

pub(super) fn talk(packet: &Packet) -> Vec<u8> {
    let hex: std::string::String = packet.as_bytes().iter().map(|byte| std::format!("{byte:02X}")).collect();
    std::format!("E:t({hex})\n").into_bytes()
}

#[test]
fn a_signature_over_text_is_one_transaction() {
    let (mut client, _) = linked(Open);
    let near = client.stream_mut();
    assert_eq!(said(near, b"board:device(00)\n"), "ECC608A TWI 00(6A)\n");
    assert_eq!(said(near, b"E:physical:select(6A)\n"), "00()\n");
    assert_eq!(said(near, b"E:w()\n"), "00(04113343)\n");
    let nonce = Packet::new(0x16, 0x43, 0, &[&DIGEST], 1);
    assert_eq!(said(near, &talk(&nonce)), "00(04000340)\n");
    assert_eq!(said(near, b"E:i()\n"), "00()\n");
    assert!(near.transport.asked.is_empty(), "the digest went to the chip before it was to be signed");
    let sign = Packet::new(0x41, 0xa0, 0, &[], 64);
    assert!(said(near, &talk(&sign)).starts_with("00(430202"));
    assert_eq!(near.transport.asked.len(), 2);
}

#[test]
fn nobody_signs_what_another_loaded() {
    let (mut client, line) = linked(Open);
    client.hello().unwrap();
    let nonce = Packet::new(0x16, 0x43, 0, &[&DIGEST], 1);
    let sign = Packet::new(0x41, 0xa0, 0, &[], 64);
    let _ = said(client.stream_mut(), &talk(&nonce));
    // A frame of somebody else in between.
    client.transact(&[Packet::new(0x1b, 0, 0, &[], 32)], &mut Responses::new()).unwrap();
    let near = client.stream_mut();
    near.transport.asked.clear();
    let _ = said(near, &talk(&sign));
    assert_eq!(near.transport.asked, [Packet::parse(sign.as_bytes()).unwrap()]);
    // Too late.
    let _ = said(near, &talk(&nonce));
    line.borrow_mut().now += crate::kit::LOADED_LIMIT;
    near.transport.asked.clear();
    let _ = said(near, &talk(&sign));
    assert_eq!(near.transport.asked.len(), 1);
}

/// Refuses everything.
struct Shut;

impl Gate for Shut {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        assert_eq!(asked.origin, Origin::Kit);
        Decision::Refuse(Fault::Refused { opcode: asked.packets[0].opcode() })
    }
}

#[test]
fn text_goes_through_the_same_gate() {
    let (mut client, _) = linked(Shut);
    let near = client.stream_mut();
    let answer = said(near, &talk(&Packet::new(0x17, 0x80, 0, &[], 1)));
    assert!(answer.starts_with("00(040F"), "{answer}");
    assert!(near.transport.asked.is_empty());
}

#[test]
fn other_text_is_met_with_silence() {
    let (mut client, _) = linked(Open);
    let near = client.stream_mut();
    assert_eq!(said(near, b"AT\r\nATZ\r\nAT+CGMM\r\n"), "");
    assert_eq!(said(near, b"board:device(00)\r\n"), "ECC608A TWI 00(6A)\n");
}

#[test]
fn a_missing_chip_is_a_failed_wake() {
    let (mut client, _) = linked(Open);
    client.stream_mut().transport.fault = Some(Fault::NoChip);
    assert_eq!(said(client.stream_mut(), b"E:w()\n"), "D0()\n");
}
