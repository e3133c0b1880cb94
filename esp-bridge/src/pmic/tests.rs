//! Against registers that behave like registers, and against the sequence of bytes.

extern crate std;

use std::{convert::Infallible, vec::Vec};

use embedded_hal::i2c::{ErrorType, Operation};

use super::*;

/// A power chip: 256 registers, and what was written in order.
struct Registers {
    values: [u8; 256],
    written: Vec<(u8, u8)>,
}

impl Registers {
    fn new(id: u8, fill: u8) -> Self {
        let mut values = [fill; 256];
        values[usize::from(CHIP_ID)] = id;
        Self { values, written: Vec::new() }
    }
}

impl ErrorType for Registers {
    type Error = Infallible;
}

impl I2c for Registers {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        assert_eq!(address, ADDRESS);
        match operations {
            [Operation::Write([register, value])] => {
                self.values[usize::from(*register)] = *value;
                self.written.push((*register, *value));
            }
            [Operation::Write([register]), Operation::Read([value])] => {
                *value = self.values[usize::from(*register)];
            }
            _ => panic!("no access that these chips know"),
        }
        Ok(())
    }
}

#[derive(Default)]
struct Waited(u64);

impl DelayNs for Waited {
    fn delay_ns(&mut self, ns: u32) {
        self.0 += u64::from(ns);
    }
}

fn powered(id: u8, fill: u8) -> Registers {
    let mut registers = Registers::new(id, fill);
    let pmic = Pmic::detect(&mut registers).unwrap();
    let mut waited = Waited::default();
    pmic.power_up(&mut registers, &mut waited).unwrap();
    assert!(waited.0 >= 120_000_000);
    registers
}

#[test]
fn each_is_known_by_its_id() {
    for (id, pmic) in [(0x03, Pmic::Axp192), (0x4a, Pmic::Axp2101), (0x47, Pmic::Axp2101)] {
        assert_eq!(Pmic::detect(&mut Registers::new(id, 0)), Ok(pmic));
    }
    assert_eq!(Pmic::detect(&mut Registers::new(0x15, 0)), Err(Error::Unknown { id: 0x15 }));
}

#[test]
fn the_axp192_feeds_what_is_used_and_nothing_else() {
    for fill in [0x00, 0xff] {
        let registers = powered(0x03, fill);
        // EXTEN, LDO2, DCDC3 on; LDO3 off; DCDC1 and DCDC2 as they were.
        assert_eq!(registers.values[0x12] & 0b0100_1110, 0b0100_0110);
        assert_eq!(registers.values[0x12] & 0b0001_0001, fill & 0b0001_0001);
        assert_eq!(registers.values[0x27] & 0x7f, 84);
        assert_eq!(registers.values[0x28], 0xf0 | fill & 0x0f);
        assert_eq!(registers.values[0x94] & 0x04, 0);
        // Nothing was written to the voltage of DCDC1.
        assert!(registers.written.iter().all(|(register, _)| *register != 0x26));
    }
}

#[test]
fn the_axp2101_feeds_what_is_used_and_nothing_else() {
    for fill in [0x00, 0xff] {
        let registers = powered(0x4a, fill);
        assert_eq!(registers.values[0x90] & 0b1011_1110, 0b0011_1010);
        assert_eq!(registers.values[0x90] & 0b0100_0001, fill & 0b0100_0001);
        assert_eq!((registers.values[0x95] & 0x1f, registers.values[0x96] & 0x1f), (28, 24));
        // Neither the switches nor the voltage of DCDC1.
        assert!(registers.written.iter().all(|(register, _)| !matches!(register, 0x80 | 0x82)));
    }
}

#[test]
fn voltages_come_before_switches_and_the_reset_last() {
    for (id, switch, reset, bit) in [(0x03, 0x12, 0x96, 0x02), (0x4a, 0x90, 0x90, 0x02)] {
        let written = powered(id, 0xff).written;
        let first_switch = written.iter().position(|(register, _)| *register == switch).unwrap();
        assert_eq!(first_switch, written.len() - 3);
        let levels: Vec<_> =
            written[written.len() - 2..].iter().map(|(r, value)| (*r, value & bit)).collect();
        assert_eq!(levels, [(reset, 0), (reset, bit)]);
    }
}
