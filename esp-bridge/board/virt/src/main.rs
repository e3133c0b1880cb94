//! QEMU's RISC-V machine `virt`, with a processor like that of the ESP32-C3.
//!
//! The host's bytes go through the machine's UART. The I2C bus is a pair of named pipes in QEMU's working directory,
//! behind which the test puts an emulated chip. Nobody can touch this machine, so its policy is never to ask: it shows
//! that the library runs on the processor, and that what changes the chip is refused there as well.
#![no_std]
#![no_main]

mod pipes;

use core::{convert::Infallible, num::NonZeroUsize, time::Duration};

use atecc::{
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    link::{About, Stream},
};
use embedded_hal::delay::DelayNs;
use esp_bridge::{
    firmware::Firmware,
    gate::Face,
    session::Session,
    touch::{Press, TouchPolicy},
};
use riscv::register::time;
use semihosting::process::ExitCode;
use uart_16550::{Config, Uart16550, backend::MmioBackend};

use crate::pipes::Pipes;

/// Of the machine's first serial port.
const UART: NonZeroUsize = NonZeroUsize::MIN.saturating_add(0x1000_0000 - 1);
/// The machine's clock has ten ticks in a microsecond.
const TICKS_PER_US: u64 = 10;

/// Where riscv-rt goes when memory is set up.
#[riscv_rt::entry]
fn main() -> ! {
    // SAFETY: the machine has a 16550 there, its registers one byte apart, and this is the only user.
    let uart = unsafe { Uart16550::new_mmio_from_address(UART, 1) };
    let (Ok(mut uart), Ok(pipes)) = (uart, Pipes::open()) else { ExitCode::FAILURE.exit_process() };
    if uart.init(Config::default()).is_err() {
        ExitCode::FAILURE.exit_process()
    }
    let chip = I2cTransport::new(pipes, Clock, TRUST_AND_GO_ADDRESS);
    let about = About { name: "esp-bridge virt", is_emulated: true, may_ask: false, run: 1 };
    let mut line = Line(uart);
    // It ends when its bus does, which is when the test has ended.
    Firmware::new(about, chip, Session::new(TouchPolicy::Never), Nobody).run(&mut line);
    ExitCode::SUCCESS.exit_process()
}

fn now() -> Duration {
    Duration::from_micros(time::read64() / TICKS_PER_US)
}

struct Clock;

impl DelayNs for Clock {
    fn delay_ns(&mut self, ns: u32) {
        let end = now() + Duration::from_nanos(ns.into());
        while now() < end {}
    }
}

struct Line(Uart16550<MmioBackend>);

impl Stream for Line {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Infallible> {
        let end = now() + limit;
        loop {
            let count = self.0.receive_bytes(buffer);
            if count > 0 || now() >= end {
                return Ok(count);
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.send_bytes_exact(bytes);
        Ok(())
    }

    fn now(&mut self) -> Duration {
        now()
    }
}

struct Nobody;

impl Face for Nobody {
    fn now(&mut self) -> Duration {
        now()
    }

    fn press(&mut self) -> Option<Press> {
        None
    }

    fn show(&mut self, _session: &Session, _now: Duration) {}

    fn animate(&mut self, _session: &Session, _now: Duration) {}

    fn feed(&mut self) {}
}
