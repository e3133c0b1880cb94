//! What the module is told from outside, read once in C_Initialize.

use atecc_token::DeviceSpec;

use crate::log::Log;

/// The configuration of the module.
pub(crate) struct Config {
    /// Where messages go.
    pub(crate) log: Log,
    /// The devices, one slot each.
    pub(crate) devices: Vec<DeviceSpec>,
}

impl Config {
    /// Reads the environment and the configuration file, as `atecc_token` finds them. A configuration that names
    /// no device is no reason to fail: the module then has no slots, and the log says why.
    pub(crate) fn load() -> Self {
        let log = Log::from_environment();
        let devices = match atecc_token::default_device(None) {
            Ok(device) => vec![device],
            Err(error) => {
                log.warn(error);
                Vec::new()
            }
        };
        Self { log, devices }
    }
}
