//! AXP192, in the Core2 up to version 1.0.
//!
//! DCDC1 feeds the ESP32 and is not touched: who gets it wrong switches himself off. Registers are those of the
//! AXP192's data sheet; which rail feeds what is from the board support package of the AWS IoT EduKit.

use super::{Change, Line};

/// 0x12, outputs: bit 6 EXTEN (5 V of the ports and light bars), 3 LDO3 (motor), 2 LDO2 (display logic), 1 DCDC3
/// (backlight).
const OUTPUTS: u8 = 0x12;
const EXTEN: u8 = 1 << 6;
const LDO3: u8 = 1 << 3;
const LDO2: u8 = 1 << 2;
const DCDC3: u8 = 1 << 1;
/// 0x27, DCDC3: 0.7 V and 25 mV each. 84 steps are 2.8 V.
const DCDC3_VOLTAGE: Change = Change::new(0x27, 0x7f, 84);
/// 0x28, LDO2 in the high half: 1.8 V and 100 mV each. 15 steps are 3.3 V.
const LDO2_VOLTAGE: Change = Change::new(0x28, 0xf0, 15 << 4);
/// 0x92, GPIO1: an open drain, low by 0x94 bit 1, for the green light.
const GREEN_LIGHT: Change = Change::new(0x92, 0x07, 0x00);
/// 0x93, GPIO2: an open drain, low by 0x94 bit 2, so that the loudspeaker is silent.
const SPEAKER: Change = Change::new(0x93, 0x07, 0x00);
const SPEAKER_OFF: Change = Change::new(0x94, 0x04, 0x00);
/// 0x95, GPIO4 as an open drain output: the reset of the display.
const RESET_PIN: Change = Change::new(0x95, 0x8c, 0x84);

/// The rails, in the order in which they are set: voltages before switches.
pub(super) const RAILS: &[Change] = &[
    LDO2_VOLTAGE,
    DCDC3_VOLTAGE,
    GREEN_LIGHT,
    SPEAKER,
    SPEAKER_OFF,
    RESET_PIN,
    Change::new(OUTPUTS, EXTEN | LDO3 | LDO2 | DCDC3, EXTEN | LDO2 | DCDC3),
];

/// 0x96 bit 1, the level of GPIO4.
pub(super) const DISPLAY_RESET: Line = Line { register: 0x96, bit: 0x02 };
