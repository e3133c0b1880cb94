//! Who answers on a bus, asked without disturbing anybody else on it.

use std::time::{Duration, Instant};

use embedded_hal::{delay::DelayNs, i2c::I2c};

use crate::{
    DeviceSpec, Error,
    bus::{TransportError, Way, Wire},
    lock::BusLock,
};

/// The seven-bit addresses with which the vendor sells parts: Trust&GO TLS, TrustFLEX, TNGLORA, blank.
pub const VENDOR_ADDRESSES: [u8; 4] = [0x35, 0x36, 0x59, 0x60];

/// What an awake chip says before its first command.
const AFTER_WAKE: [u8; 4] = [0x04, 0x11, 0x33, 0x43];
/// The word address that puts a chip to sleep.
const SLEEP: u8 = 0x01;
/// tWHI, from the wake pulse to the first transfer.
const WAKE_DELAY_US: u32 = 1_500;
/// Enough pulses that one of them was not held up by the system.
const PULSES: usize = 512;
/// For how long others may have to wait because of them: 512 take a tenth of a second at 100 kHz. On a bus where
/// each takes long, because it is slow or stuck, fewer have to do.
const PULSES_TIME: Duration = Duration::from_millis(200);

/// What a bus showed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// Which of the [`VENDOR_ADDRESSES`] answered as a chip that has just woken.
    pub addresses: Vec<u8>,
    /// The shortest time that an address byte took. The bus is not slower than that.
    pub address_time: Duration,
}

/// Sends wake pulses on the bus of `spec`, and reads at the vendor's addresses who woke. Nothing is written to
/// an address that did not answer as a chip.
///
/// # Errors
/// When the bus cannot be opened or locked.
pub fn probe(spec: &DeviceSpec) -> Result<Probe, Error> {
    let way = Way::open(spec)?;
    let locked = way.lock.as_ref().map(BusLock::acquire).transpose();
    let _guard = locked.map_err(|error| atecc::Error::Transport(TransportError::Lock(error)))?;
    let Wire::I2c(transport) = way.transport else {
        // A bridge looks for its chip by itself.
        return Ok(Probe { addresses: Vec::new(), address_time: Duration::MAX });
    };
    let (mut bus, mut delay) = transport.release();
    let pulse = || {
        let start = Instant::now();
        // Nobody acknowledges address 0; the zeros are the pulse.
        let _ = bus.write(0x00, &[0x00]);
        start.elapsed()
    };
    let address_time = shortest(pulse);
    delay.delay_us(WAKE_DELAY_US);
    let mut addresses = Vec::new();
    for address in VENDOR_ADDRESSES {
        let mut answer = [0; AFTER_WAKE.len()];
        if bus.read(address, &mut answer).is_ok() && answer == AFTER_WAKE {
            addresses.push(address);
        }
    }
    for &address in &addresses {
        // One that does not hear it sleeps when its watchdog expires.
        let _ = bus.write(address, &[SLEEP]);
    }
    Ok(Probe { addresses, address_time })
}

/// The shortest of many pulses, as many as fit into the time that they may take. The first is always sent.
fn shortest(mut pulse: impl FnMut() -> Duration) -> Duration {
    let start = Instant::now();
    let mut shortest = pulse();
    for _ in 1..PULSES {
        if start.elapsed() >= PULSES_TIME {
            break;
        }
        shortest = shortest.min(pulse());
    }
    shortest
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_slow_bus_is_not_held_for_long() {
        let (mut pulses, start) = (0, Instant::now());
        let shortest = shortest(|| {
            pulses += 1;
            thread::sleep(Duration::from_millis(45));
            Duration::from_millis(45 + pulses)
        });
        assert_eq!(shortest, Duration::from_millis(46));
        // The fifth begins before the time is over.
        assert!((1..=5).contains(&pulses), "{pulses} pulses in {:?}", start.elapsed());
    }

    #[test]
    fn a_bus_at_its_usual_speed_gets_all_of_them() {
        let mut pulses = 0_u64;
        let shortest = shortest(|| {
            pulses += 1;
            Duration::from_micros(1000 - pulses)
        });
        assert_eq!((pulses, shortest), (512, Duration::from_micros(488)));
    }
}
