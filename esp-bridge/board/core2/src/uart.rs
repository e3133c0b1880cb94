//! UART0 behind the USB-UART chip as a byte stream.

use core::time::Duration;

use atecc::link::{BASE_RATE, Stream};
use esp_bridge_esp::now;
use esp_hal::{
    Blocking,
    uart::{Config, ConfigError, Uart},
};

/// What the CP2104 and CH9102F of these boards can do, and the ESP32 divides well.
const RATES: [u32; 4] = [BASE_RATE, 230_400, 460_800, 921_600];

pub(crate) struct Line(pub(crate) Uart<'static, Blocking>);

impl Stream for Line {
    type Error = ConfigError;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, ConfigError> {
        let end = now() + limit;
        loop {
            // A framing error or an overrun loses bytes, which the protocol notices.
            if let Ok(count @ 1..) = self.0.read_buffered(buffer) {
                return Ok(count);
            }
            if now() >= end {
                return Ok(0);
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ConfigError> {
        // A UART sends whether or not somebody listens, so this ends.
        let mut rest = bytes;
        while let Ok(count @ 1..) = self.0.write(rest) {
            rest = rest.get(count..).unwrap_or_default();
        }
        let _ = self.0.flush();
        Ok(())
    }

    fn now(&mut self) -> Duration {
        now()
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        RATES.contains(&rate)
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), ConfigError> {
        let _ = self.0.flush();
        self.0.apply_config(&Config::default().with_baudrate(rate))
    }
}
