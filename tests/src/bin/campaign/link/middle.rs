//! The line between two pseudo-terminals, which damages what it carries.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use serial2::SerialPort;

use crate::Random;

/// What an ESP32 says at each start.
pub(super) const BOOT: &[u8] = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x17 (SPI_FAST_FLASH_BOOT)\r\n\
    configsip: 188777542, SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3fff0030,len:1344\r\nentry 0x400805f0\r\n";

/// What a terminal says while nobody has its other side open.
const EIO: i32 = 5;

/// What the two carriers of a line share.
#[derive(Default)]
pub(super) struct Weather {
    /// Damaged chunks in a thousand.
    pub(super) per_mille: AtomicU32,
    pub(super) is_over: AtomicBool,
    pub(super) damages: AtomicU32,
}

/// Carries bytes from one end to the other until it is over.
pub(super) fn carry(
    mut from: SerialPort,
    to: &SerialPort,
    weather: &Weather,
    mut random: Random,
) -> io::Result<()> {
    from.set_read_timeout(Duration::from_millis(20))?;
    let mut buffer = [0; 1024];
    let mut held: Vec<u8> = Vec::new();
    while !weather.is_over.load(Ordering::Relaxed) {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => 0,
            Err(error) if error.raw_os_error() == Some(EIO) => {
                std::thread::sleep(Duration::from_millis(1));
                0
            }
            Err(error) => return Err(error),
        };
        let mut chunk = buffer[..count].to_vec();
        if (random.below(1_000) as u32) < weather.per_mille.load(Ordering::Relaxed) && count > 0 {
            weather.damages.fetch_add(1, Ordering::Relaxed);
            damage(&mut chunk, &mut held, &mut random);
        } else if !held.is_empty() {
            // What was held back comes too late.
            chunk.append(&mut held);
        }
        if !chunk.is_empty() {
            match to.write_all(&chunk) {
                Err(error) if error.raw_os_error() != Some(EIO) => return Err(error),
                // Nobody there: the bytes are lost.
                _ => {}
            }
        }
    }
    Ok(())
}

/// One accident.
fn damage(chunk: &mut Vec<u8>, held: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(chunk.len());
    match random.below(9) {
        0 => chunk[at] ^= 1 << random.below(8),
        1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(chunk.len());
                chunk[at] = random.next() as u8;
            }
        }
        2 => drop(chunk.remove(at)),
        3 => {
            let end = at + random.below(chunk.len() - at + 1);
            chunk.drain(at..end);
        }
        4 => {
            let garbage = random.bytes(40);
            chunk.splice(at..at, garbage);
        }
        5 => chunk.rotate_left(at),
        6 => {
            let copy = chunk.clone();
            chunk.extend(copy);
        }
        7 => chunk.splice(at..at, BOOT.iter().copied()).for_each(drop),
        _ => held.append(chunk),
    }
}
