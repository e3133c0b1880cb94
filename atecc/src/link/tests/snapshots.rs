//! The bytes of every message. Added to, never edited: what stands here is what devices in the field speak.

use super::*;

fn frame(kind: Kind, sequence: u32, body: impl FnOnce(&mut FrameWriter)) -> std::string::String {
    let mut writer = FrameWriter::new();
    message::begin(&mut writer, kind, sequence);
    body(&mut writer);
    writer.end();
    writer.frame().iter().map(|byte| std::format!("{byte:02x}")).collect()
}

#[test]
fn version_1_requests() {
    let sequence = 0x0403_0201;
    let random = Packet::new(0x1b, 0, 0, &[], 32);
    let nonce = Packet::new(0x16, 0x43, 0, &[&DIGEST], 1);
    let sign = Packet::new(0x41, 0xa0, 0, &[], 64);
    assert_eq!(frame(Kind::Hello, sequence, |frame| frame.put(&[VERSION])), "000b010102030401f6d8dafc00");
    let transact = frame(Kind::Transact, sequence, |frame| {
        frame.put(&[message::LAST_ONLY]);
        [&random, &nonce, &sign].iter().for_each(|packet| frame.put(packet.as_bytes()));
    });
    assert_eq!(
        transact,
        "0009020102030401071b01010624cd27164301265a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a83320741a001077b8538055fdf00"
    );
    let lease = |kind| {
        frame(kind, sequence, |frame| {
            frame.put(&[message::AGAIN]);
            frame.put(random.as_bytes());
        })
    };
    assert_eq!(lease(Kind::Lease), "0009030102030402071b01010724cdeda1023d00");
    let planned = frame(Kind::Lease, sequence, |frame| {
        frame.put(&[message::PLANNED]);
        [&random, &sign].iter().for_each(|packet| frame.put(packet.as_bytes()));
    });
    assert_eq!(planned, "0009030102030404071b01010624cd0741a001077b854fd2bd5700");
    assert_eq!(lease(Kind::Next), "0009040102030402071b01010724cdb5a7714000");
    assert_eq!(frame(Kind::End, sequence, |_| {}), "000a0501020304bc5cba9900");
    assert_eq!(frame(Kind::Cancel, sequence, |_| {}), "000a06010203046c261ade00");
    assert_eq!(
        frame(Kind::Rate, sequence, |frame| frame.put(&921_600_u32.to_le_bytes())),
        "0006070102030403100e054032ec2800"
    );
}

#[test]
fn version_1_answers() {
    let sequence = 0x0403_0201;
    let welcome = Welcome {
        version: VERSION,
        capabilities: Capabilities::from_bits(0x1f),
        max_request: 2486,
        max_answer: 2102,
        run: 0xdead_beef,
        name: "Core2 for AWS".try_into().unwrap(),
    };
    assert_eq!(
        frame(Kind::Welcome, sequence, |frame| welcome.write(frame)),
        "00088101020304011f1ab6093608efbeadde436f72653220666f7220415753ddf7c35800"
    );
    let answer = frame(Kind::Answer, sequence, |frame| {
        frame.put(&[1]);
        frame.put(&Response::new(&[0x11]).unwrap().to_group());
    });
    assert_eq!(answer, "000f8201020304010411334345f8054a00");
    let progress = Progress::Touch { seconds_left: 29 };
    assert_eq!(
        frame(Kind::Progress, sequence, |frame| progress.write(frame)),
        "00088301020304011d05431c456500"
    );
    let fault = Fault::Refused { opcode: 0x17 };
    assert_eq!(
        frame(Kind::Fault, sequence, |frame| frame.put(&fault.to_bytes())),
        "000c84010203040b1764ca322500"
    );
}

#[test]
fn a_welcome_is_read_with_fields_missing_and_with_fields_added() {
    let short = Welcome::read(&[1, 0x02, 0x80]).unwrap();
    assert_eq!((short.version, short.capabilities.bits(), short.run), (1, 0x8002, 0));
    let long = Welcome::read(b"\x01\x01\0\x40\0\x40\0\x01\0\0\0bench\0what a later version adds").unwrap();
    assert_eq!(long.name, "bench");
    let rude = Welcome::read(b"\x01\x01\0\x40\0\x40\0\x01\0\0\0\x1b[2J\xff\xffx").unwrap();
    assert_eq!(rude.name, "?[2Jx");
    assert_eq!(Welcome::read(&[]), None);
}
