//! How long commands take.

use std::time::Duration;

use atecc::zone::ClockDivider;

use super::opcode;

/// Typical microseconds at clock divider M0, and the longest milliseconds for M0, M1 and M2.
///
/// The typical times are estimates: the data sheets give none. The longest are those that the vendor's driver
/// waits for.
const fn times(code: u8) -> (u32, [u16; 3]) {
    match code {
        opcode::AES => (2_000, [27, 27, 27]),
        opcode::CHECKMAC => (5_000, [40, 40, 40]),
        opcode::COUNTER => (8_000, [25, 25, 25]),
        opcode::DERIVEKEY => (15_000, [50, 50, 50]),
        opcode::ECDH => (45_000, [75, 172, 531]),
        opcode::GENDIG => (5_000, [25, 35, 35]),
        opcode::GENKEY => (50_000, [115, 215, 653]),
        opcode::INFO => (500, [5, 5, 5]),
        opcode::KDF => (20_000, [165, 165, 165]),
        opcode::LOCK => (12_000, [35, 35, 35]),
        opcode::MAC => (5_000, [55, 55, 55]),
        opcode::NONCE => (1_500, [20, 20, 20]),
        opcode::PRIVWRITE => (15_000, [50, 50, 50]),
        opcode::RANDOM => (12_000, [23, 23, 23]),
        opcode::READ => (800, [5, 5, 5]),
        opcode::SECUREBOOT => (65_000, [80, 160, 480]),
        opcode::SELFTEST => (180_000, [250, 625, 2324]),
        opcode::SHA => (3_000, [36, 42, 75]),
        opcode::SIGN => (60_000, [115, 220, 665]),
        opcode::UPDATEEXTRA => (6_000, [10, 10, 10]),
        opcode::VERIFY => (70_000, [105, 295, 1085]),
        opcode::WRITE => (12_000, [45, 45, 45]),
        _ => (500, [5, 5, 5]),
    }
}

/// How long the command with this opcode takes at most.
pub(crate) fn longest(opcode: u8, divider: ClockDivider) -> Duration {
    Duration::from_millis(u64::from(times(opcode).1[divider as usize]))
}

/// How long it takes typically; slower clocks scale it as they scale the longest time.
pub(crate) fn typical(opcode: u8, divider: ClockDivider) -> Duration {
    let (typical, [fast, ..]) = times(opcode);
    Duration::from_micros(u64::from(typical)) * longest(opcode, divider).as_millis() as u32 / u32::from(fast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_more_than_typical_is_within_the_longest() {
        for code in 0..=u8::MAX {
            for divider in [ClockDivider::M0, ClockDivider::M1, ClockDivider::M2] {
                assert!(
                    typical(code, divider).mul_f64(1.2) <= longest(code, divider),
                    "{code:02x} {divider:?}"
                );
            }
        }
    }

    #[test]
    fn a_slow_clock_slows_the_curve_only() {
        assert_eq!(typical(opcode::READ, ClockDivider::M2), typical(opcode::READ, ClockDivider::M0));
        assert!(typical(opcode::SIGN, ClockDivider::M2) > 5 * typical(opcode::SIGN, ClockDivider::M0));
    }
}
