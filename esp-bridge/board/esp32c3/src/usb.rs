//! The USB serial port of the ESP32-C3 as a byte stream.

use core::{convert::Infallible, time::Duration};

use atecc::link::Stream;
use esp_bridge_esp::now;
use esp_hal::{Blocking, usb::usb_serial_jtag::UsbSerialJtag};

/// A host that takes nothing for so long is not there.
const WRITE_LIMIT: Duration = Duration::from_millis(200);

pub(crate) struct Usb(pub(crate) UsbSerialJtag<'static, Blocking>);

impl Stream for Usb {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Infallible> {
        let end = now() + limit;
        loop {
            let mut count = 0;
            while let Some(place) = buffer.get_mut(count) {
                let Ok(byte) = self.0.read_byte() else { break };
                *place = byte;
                count += 1;
            }
            if count > 0 || now() >= end {
                return Ok(count);
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let end = now() + WRITE_LIMIT;
        for byte in bytes {
            while self.0.write_byte_nb(*byte).is_err() {
                if now() >= end {
                    // The port has no cable to notice: what a host did not take, it asks for again.
                    return Ok(());
                }
            }
        }
        let _ = self.0.flush_tx_nb();
        Ok(())
    }

    fn now(&mut self) -> Duration {
        now()
    }
}
