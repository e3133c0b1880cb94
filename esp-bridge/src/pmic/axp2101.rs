//! AXP2101, in the Core2 since version 1.1.
//!
//! DCDC1 feeds the ESP32 and is not touched. Registers are those of the AXP2101's data sheet; which rail feeds what
//! is from the schematic of the Core2 1.1 as M5Stack's graphics library and others give it.

use super::{Change, Line};

/// 0x90, LDO outputs: bit 7 DLDO1 (motor), 5 BLDO2 (5 V converter), 4 BLDO1 (backlight), 3 ALDO4 (display, touch, card),
/// 2 ALDO3 (loudspeaker).
const OUTPUTS: u8 = 0x90;
const DLDO1: u8 = 1 << 7;
const BLDO2: u8 = 1 << 5;
const BLDO1: u8 = 1 << 4;
const ALDO4: u8 = 1 << 3;
const ALDO3: u8 = 1 << 2;
/// 0x93, ALDO2, and 0x95, ALDO4: 0.5 V and 100 mV each. 28 steps are 3.3 V.
const ALDO2_VOLTAGE: Change = Change::new(0x93, 0x1f, 28);
const ALDO4_VOLTAGE: Change = Change::new(0x95, 0x1f, 28);
/// 0x96, BLDO1: likewise. 24 steps are 2.9 V, a bright backlight; 3.3 V is the brightest.
const BLDO1_VOLTAGE: Change = Change::new(0x96, 0x1f, 24);
/// 0x97, BLDO2, which enables the converter: 3.3 V.
const BLDO2_VOLTAGE: Change = Change::new(0x97, 0x1f, 28);

/// The rails, in the order in which they are set: voltages before switches.
pub(super) const RAILS: &[Change] = &[
    ALDO2_VOLTAGE,
    ALDO4_VOLTAGE,
    BLDO1_VOLTAGE,
    BLDO2_VOLTAGE,
    Change::new(OUTPUTS, DLDO1 | BLDO2 | BLDO1 | ALDO4 | ALDO3, BLDO2 | BLDO1 | ALDO4),
];

/// 0x90 bit 1, ALDO2: the reset of display and touch controller.
pub(super) const DISPLAY_RESET: Line = Line { register: OUTPUTS, bit: 0x02 };
