//! Where a chip puts its EEPROM when it has changed.

use std::{fmt, io};

use crate::Eeprom;

/// What keeps the EEPROM of a chip beyond its life.
///
/// [`EepromFile`](crate::EepromFile) is one. A chip without storage forgets what was written.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Keeps `eeprom` instead of what was kept before: all of it, or nothing.
    ///
    /// # Errors
    /// When it cannot be kept. The chip then takes the change back and answers with an execution error.
    fn save(&mut self, eeprom: &Eeprom) -> io::Result<()>;
}
