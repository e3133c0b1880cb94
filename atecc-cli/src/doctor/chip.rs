//! The chip itself: part, locks, and how well it is heard.

use atecc_token::Token;

use super::report::Report;
use crate::error::Error;

/// Enough to meet a loose contact.
const RANDOM_NUMBERS: usize = 16;

/// Whether the chip is ready for use.
pub(super) fn examine(token: &Token, report: &mut Report) -> Result<bool, Error> {
    let configuration = token.configuration()?;
    let part = token.revision().part();
    let what = if token.is_emulated() { "EMULATOR, software for trials and tests only" } else { "hardware" };
    report
        .ok("wake", format!("the chip answers at address 0x{:02x}", configuration.effective_i2c_address()))?;
    report.ok("part", format!("{part}, serial number {}, {what}", token.serial_number()))?;
    if part.starts_with("unknown") {
        report.warning(
            "part",
            format!("revision {:02x?} is none of an ATECC608A or B", token.revision().0),
            "tell the authors about it; what this program does may not fit",
        )?;
    }
    if configuration.is_configuration_locked() {
        report.ok("configuration", "locked")?;
    } else {
        report.wrong(
            "configuration",
            "the configuration zone is not locked: whoever reaches the chip may change its rules",
            "a Trust&GO part leaves the factory locked; use one, or configure this part and lock it",
        )?;
    }
    if configuration.is_data_locked() {
        report.ok("data", "locked")?;
    } else {
        report.wrong(
            "data",
            "the data zone is not locked: the chip keeps no secret yet, and signs nothing",
            "a Trust&GO part leaves the factory locked; use one, or fill this part and lock its data zone",
        )?;
    }
    Ok(configuration.is_configuration_locked() && configuration.is_data_locked())
}

/// How many transactions came through at the first try, of all that were made.
pub(super) fn transfers(token: &Token, report: &mut Report) -> Result<(), Error> {
    let mut bytes = [0; 32 * RANDOM_NUMBERS];
    if let Err(error) = token.random(&mut bytes) {
        return report.wrong(
            "random",
            error.to_string(),
            "power the chip off and on; if it stays, the chip is faulty",
        );
    }
    report.ok("random", format!("{} bytes from the chip's generator", bytes.len()))?;
    let bus = token.statistics().bus;
    let found = format!("{} transfers, {} retries", bus.transactions, bus.retries);
    if bus.retries == 0 {
        return report.ok("transfers", found);
    }
    report.warning(
        "transfers",
        found,
        "check the wiring, the pull-up resistors, and whether a program uses the bus without its lock",
    )
}
