//! What the module is told from outside, read once in C_Initialize.

use std::{fs, path::PathBuf, sync::Arc};

use atecc_token::{DeviceSpec, SlotRule, trusted_variable};
use serde::Deserialize;

use crate::{
    log::Log,
    pin::{Pin, PinTable},
    reserved::Parameters,
    store::Store,
};

/// The configuration of the module.
pub(crate) struct Config {
    /// The devices, one slot each.
    pub(crate) devices: Vec<DeviceSpec>,
    /// What is the same for all of them.
    pub(crate) policy: Arc<Policy>,
}

/// What holds for every token.
pub(crate) struct Policy {
    /// What the administrator decided about the slots of the chips.
    pub(crate) rules: Vec<SlotRule>,
    /// What applications add.
    pub(crate) store: Store,
    /// The PIN, if keys need one.
    pub(crate) pin: Option<Pin>,
    /// Where messages go.
    pub(crate) log: Log,
}

/// The table `[pkcs11]` of the configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    store: Option<PathBuf>,
    pin: Option<PinTable>,
}

impl Config {
    /// Reads the environment and the configuration file, as `atecc_token` finds them; what the application said in
    /// C_Initialize goes before both. A configuration that names no device or has a mistake is no reason to fail: the
    /// module then has no slots, and the log says why.
    pub(crate) fn load(parameters: &Parameters) -> Self {
        let log = Log::from_environment();
        Self::read(parameters, log).unwrap_or_else(|error| {
            log.warn(error);
            let policy = Policy { rules: Vec::new(), store: Store::new(None, log), pin: None, log };
            Self { devices: Vec::new(), policy: Arc::new(policy) }
        })
    }

    fn read(parameters: &Parameters, log: Log) -> Result<Self, Box<dyn std::error::Error>> {
        let file = match &parameters.config {
            Some(path) => {
                let text =
                    fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
                atecc_token::Config::parse(&text, path.as_ref())?
            }
            None => atecc_token::Config::load()?,
        };
        let devices = match &parameters.device {
            Some(devices) => devices.split(';').map(|spec| spec.trim().parse()).collect::<Result<_, _>>()?,
            None if parameters.config.is_some() && !file.devices.is_empty() => file.devices,
            None => atecc_token::default_devices()?,
        };
        let place = file.file.as_deref().map_or_else(String::new, |file| format!("{}: ", file.display()));
        let wrong = |error: &dyn std::fmt::Display| format!("{place}table [pkcs11]: {error}");
        let table: Table = file.pkcs11.try_into().map_err(|error| wrong(&error))?;
        let pin = table.pin.map(Pin::new).transpose().map_err(|error| wrong(&error))?;
        let store =
            table.store.map(at_home).or_else(|| Some(file.file?.with_file_name(STORE))).or_else(users_store);
        let policy = Policy { rules: file.slots, store: Store::new(store, log), pin, log };
        Ok(Self { devices, policy: Arc::new(policy) })
    }
}

/// The name of the store, beside the configuration file.
const STORE: &str = "objects.toml";

/// The store of this user, where no configuration file is: ~/.local/share/atecc/objects.toml, as the XDG Base
/// Directory Specification has it.
fn users_store() -> Option<PathBuf> {
    let absolute = |name| trusted_variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(data.join("atecc").join(STORE))
}

/// With the user's home folder instead of a `~` in front.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), trusted_variable("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("atecc.toml");
        fs::write(&file, text).unwrap();
        let config = file.to_str().map(str::to_owned);
        Config::read(&Parameters { config, device: None }, Log::Off).map_err(|error| error.to_string())
    }

    const DEVICE: &str = "device = \"emulator:chip\"\n";

    #[test]
    fn the_file_that_the_application_names_counts() {
        let config = read(DEVICE).unwrap();
        assert_eq!(config.devices[0].to_string(), "emulator:chip");
        assert!(config.policy.pin.is_none());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let message = |text: &str| read(&(DEVICE.to_owned() + text)).err().unwrap();
        assert!(message("[pkcs11]\nstorage = \"x\"\n").contains("storage"));
        assert!(message("[pkcs11]\npin = \"1234\"\n").contains("atecc.toml: table [pkcs11]"));
        let short = "[pkcs11.pin]\nsalt = \"00\"\niterations = 10000\nhash = \"00\"\n";
        assert!(message(short).contains("salt"), "{}", message(short));
    }

    #[test]
    fn devices_of_the_application_go_before_the_file() {
        let device = Some("emulator:one; emulator:two".to_owned());
        let config = Config::read(&Parameters { config: None, device }, Log::Off).unwrap();
        assert_eq!(
            config.devices.iter().map(DeviceSpec::to_string).collect::<Vec<_>>(),
            ["emulator:one", "emulator:two"]
        );
    }
}
