//! What starts the firmware anew when it cannot go on: its own mistakes, silence, and a supply that breaks down. A host
//! that waits learns from the new run that its request is gone (fault 15, "forgotten"), and nothing is done twice.

use esp_bridge::gate::WATCHDOG;
use esp_hal::{
    peripherals::{LPWR, RTC_TIMER},
    rtc_cntl::{Rtc, RwdtStage},
    time::Duration,
};

/// A firmware that hangs would not tell the host; one that starts anew does.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    restart()
}

/// Starts anew. For what a board cannot do without, too: a value that the hardware refuses is a mistake in the board's
/// file, and a reset shows it at once.
pub fn restart() -> ! {
    esp_hal::system::software_reset()
}

/// The watchdog, which resets the whole chip when it is not fed for [`WATCHDOG`].
pub struct Supervisor(Rtc<'static>);

impl Supervisor {
    /// Switches on the watchdog and the reset at low voltage.
    pub fn new(timer: RTC_TIMER<'static>) -> Self {
        reset_at_low_voltage();
        let mut rtc = Rtc::new(timer);
        rtc.rwdt.set_timeout(RwdtStage::Stage0, Duration::from_millis(WATCHDOG.as_millis() as u64));
        rtc.rwdt.enable();
        Self(rtc)
    }

    /// All is well.
    pub fn feed(&mut self) {
        self.0.rwdt.feed();
    }
}

/// esp-hal leaves the detector as the processor starts with it: off (ESP32), or on and without consequence (ESP32-C3).
/// A processor whose supply breaks down for a moment computes anything; it is reset instead, at the detector's own
/// threshold (RTC_CNTL_BROWN_OUT_REG of the technical reference manuals).
fn reset_at_low_voltage() {
    LPWR::regs().brown_out().modify(|_, register| {
        #[cfg(feature = "esp32")]
        {
            register.rst_ena().set_bit().ena().set_bit()
        }
        #[cfg(feature = "esp32c3")]
        {
            register.brown_out_rst_ena().set_bit().brown_out_ena().set_bit()
        }
    });
}
