//! A CP2112, a USB adapter with eight GPIO lines, for the kernel that this runs on.
//!
//! `kernel-gpio LOG`, as root, with the modules uhid and hid-cp2112 loaded. The kernel takes the device through /dev/uhid
//! as if it were plugged in, and its own driver makes a /dev/gpiochipN of it. LOG gets a line for each change of an output:
//! `3 on`. A wire leads from line 3 to line 4, so that an input has something to see.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;

/// struct uhid_event of include/uapi/linux/uhid.h: a 32-bit type, then what belongs to it, in the machine's order of bytes.
const EVENT: usize = 4380;
const CREATE2: u32 = 11;
const GET_REPORT: u32 = 9;
const GET_REPORT_REPLY: u32 = 10;
const SET_REPORT: u32 = 13;
const SET_REPORT_REPLY: u32 = 14;

/// BUS_USB of include/uapi/linux/input.h, and by what the kernel finds the driver.
const BUS_USB: u16 = 3;
const VENDOR: u32 = 0x10c4;
const PRODUCT: u32 = 0xea90;

/// The reports that drivers/hid/hid-cp2112.c uses (Silicon Labs AN495), each with its bytes after the number.
const FEATURES: [(u8, u8); 7] = [(2, 4), (3, 1), (4, 2), (5, 2), (6, 13), (0x20, 1), (0x21, 9)];
const INPUTS: [u8; 2] = [0x13, 0x16];
const OUTPUTS: [u8; 6] = [0x10, 0x11, 0x12, 0x14, 0x15, 0x17];
const DIRECTIONS: u8 = 2;
const READ_LINES: u8 = 3;
const WRITE_LINES: u8 = 4;
const VERSION: u8 = 5;

/// The wire.
const FROM: u8 = 3;
const TO: u8 = 4;

#[derive(Default)]
struct Adapter {
    /// A bit set: an output.
    directions: u8,
    lines: u8,
}

/// A CP2112, a USB adapter with eight GPIO lines, for the kernel that this runs on.
#[derive(Debug, Parser)]
#[command(name = "kernel-gpio")]
struct Arguments {
    /// Gets a line for each change of an output.
    log: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { log } = Arguments::parse();
    match File::create(log).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernel-gpio: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(mut log: File) -> io::Result<()> {
    let mut kernel = OpenOptions::new().read(true).write(true).open("/dev/uhid")?;
    kernel.write_all(&create())?;
    let mut adapter = Adapter::default();
    let mut event = vec![0; EVENT];
    loop {
        let length = kernel.read(&mut event)?;
        let [kind, request] = [word(&event, 0), word(&event, 4)];
        match kind {
            GET_REPORT => {
                let data = adapter.get(event[8]);
                let mut reply = vec![0; 4 + 4 + 2 + 2];
                reply[..4].copy_from_slice(&GET_REPORT_REPLY.to_ne_bytes());
                reply[4..8].copy_from_slice(&request.to_ne_bytes());
                reply[10..12].copy_from_slice(&(data.len() as u16).to_ne_bytes());
                reply.extend(data);
                reply.resize(4 + 4 + 2 + 2 + 4096, 0);
                kernel.write_all(&reply)?;
            }
            SET_REPORT => {
                adapter.set(event.get(12..length).unwrap_or_default(), &mut log)?;
                let mut reply = vec![0; 4 + 4 + 2];
                reply[..4].copy_from_slice(&SET_REPORT_REPLY.to_ne_bytes());
                reply[4..8].copy_from_slice(&request.to_ne_bytes());
                kernel.write_all(&reply)?;
            }
            // Started, opened and the like want no answer.
            _ => {}
        }
    }
}

impl Adapter {
    /// The feature report `number`.
    fn get(&self, number: u8) -> Vec<u8> {
        match number {
            DIRECTIONS => vec![number, self.directions, 0xff, 0, 0],
            READ_LINES => {
                let wire = (self.lines >> FROM & 1) << TO;
                vec![number, (self.lines & !(1 << TO)) | wire]
            }
            // Part number 0x0c is a CP2112.
            VERSION => vec![number, 0x0c, 3],
            _ => {
                let length =
                    FEATURES.iter().find(|(feature, _)| *feature == number).map_or(1, |(_, length)| *length);
                let mut report = vec![0; usize::from(length) + 1];
                report[0] = number;
                report
            }
        }
    }

    fn set(&mut self, report: &[u8], log: &mut File) -> io::Result<()> {
        match *report {
            [DIRECTIONS, directions, ..] => self.directions = directions,
            [WRITE_LINES, values, mask, ..] => {
                let before = self.lines;
                self.lines = (before & !mask) | (values & mask);
                for line in (0..8).filter(|line| (before ^ self.lines) >> line & 1 == 1) {
                    let state = if self.lines >> line & 1 == 1 { "on" } else { "off" };
                    writeln!(log, "{line} {state}")?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The event that plugs the device in.
fn create() -> Vec<u8> {
    // USB HID 1.11, section 6.2.2: a usage page of the vendor's with one collection, in which everything is 8 bits wide.
    let mut descriptor =
        vec![0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08];
    let mut report = |number: u8, length: u8, kind: u8| {
        descriptor.extend([0x85, number, 0x95, length, 0x09, 1, kind, 2]);
    };
    FEATURES.iter().for_each(|(number, length)| report(*number, *length, 0xb1));
    INPUTS.iter().for_each(|number| report(*number, 63, 0x81));
    OUTPUTS.iter().for_each(|number| report(*number, 63, 0x91));
    descriptor.push(0xc0);
    // Name, place and serial number (128, 64 and 64 bytes), then sizes and numbers, then the descriptor.
    let mut event = vec![0; 260];
    event[..4].copy_from_slice(&CREATE2.to_ne_bytes());
    event[4..10].copy_from_slice(b"cp2112");
    event.extend((descriptor.len() as u16).to_ne_bytes());
    event.extend(BUS_USB.to_ne_bytes());
    event.extend(VENDOR.to_ne_bytes());
    event.extend(PRODUCT.to_ne_bytes());
    event.extend([0; 8]);
    event.extend(descriptor);
    event.resize(280 + 4096, 0);
    event
}

fn word(event: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([event[at], event[at + 1], event[at + 2], event[at + 3]])
}
