//! Which devices are meant when nobody says, and what the administrator decided about them.

mod file;
mod slot;
mod trust;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use slot::SlotRule;
pub(crate) use trust::has_more_rights_than_its_caller;
pub use trust::trusted_variable;

use crate::{DeviceSpec, Error};

/// The environment variable that names the device, or several with `;` between them.
pub const DEVICE_VARIABLE: &str = "ATECC_DEVICE";
/// The environment variable that names another configuration file than [`CONFIG_FILE`].
pub const CONFIG_VARIABLE: &str = "ATECC_CONFIG";
/// The file that configures the devices of the machine for everybody on it.
pub const CONFIG_FILE: &str = "/etc/atecc/atecc.toml";

/// What atecc.toml says (docs/configuration.md describes the keys). One file serves all programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The devices of the file, from `device` or `devices`.
    pub devices: Vec<DeviceSpec>,
    /// One for each table `[[slot]]`, in their order.
    pub slots: Vec<SlotRule>,
    /// The table `[pkcs11]`, which the PKCS#11 module reads.
    pub pkcs11: toml::Table,
    /// Where it was read, if there is such a file.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads the file that `ATECC_CONFIG` names, else /etc/atecc/atecc.toml. Without the latter nothing is
    /// configured, which is no error.
    ///
    /// The variable does not count for a process that runs with more rights than its caller
    /// (see [`trusted_variable`]).
    ///
    /// # Errors
    /// When the file cannot be read or is not understood, or `ATECC_CONFIG` names none.
    pub fn load() -> Result<Self, Error> {
        Self::read(&Place::find())
    }

    /// Understands `text`, the content of `file`.
    ///
    /// # Errors
    /// When a key is not known or its value is none; the error says where.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        file::parse(text, file)
    }

    fn read(place: &Place) -> Result<Self, Error> {
        match fs::read_to_string(&place.file) {
            Ok(text) => Self::parse(&text, &place.file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !place.is_demanded => {
                Ok(Self::default())
            }
            Err(source) => Err(Error::ConfigUnreadable { file: place.file.clone(), source }),
        }
    }
}

/// The device that is meant: `explicit` (an option of the program), else that of `ATECC_DEVICE`, else that of the
/// configuration file.
///
/// # Errors
/// When nothing names a device, several are named and none explicitly, or what names it is not understood.
pub fn default_device(explicit: Option<&str>) -> Result<DeviceSpec, Error> {
    if let Some(spec) = explicit {
        return Ok(spec.parse()?);
    }
    let mut devices = default_devices()?;
    match devices.pop() {
        Some(device) if devices.is_empty() => Ok(device),
        Some(last) => {
            devices.push(last);
            Err(Error::SeveralDevices { devices })
        }
        None => Err(Error::NoDevice),
    }
}

/// The devices that are meant, at least one: those of `ATECC_DEVICE`, which holds one spec or several with `;`
/// between them, else those of the configuration file.
///
/// A process that runs with more rights than its caller (set-user-id, set-group-id, file capabilities) does
/// not look at the environment, since the caller writes it.
///
/// # Errors
/// When nothing names a device, or what does is not understood.
pub fn default_devices() -> Result<Vec<DeviceSpec>, Error> {
    let variable = trusted_variable(DEVICE_VARIABLE);
    let variable = variable.map(|value| value.to_string_lossy().into_owned());
    choose(variable.as_deref(), &Place::find())
}

fn choose(variable: Option<&str>, place: &Place) -> Result<Vec<DeviceSpec>, Error> {
    let named = variable.unwrap_or_default().split(';').map(str::trim).filter(|spec| !spec.is_empty());
    let mut devices = named.map(str::parse).collect::<Result<Vec<DeviceSpec>, _>>()?;
    if devices.is_empty() {
        devices = Config::read(place)?.devices;
    }
    if devices.is_empty() { Err(Error::NoDevice) } else { Ok(devices) }
}

/// Where the configuration is.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    /// Somebody named it, so it has to be there.
    is_demanded: bool,
}

impl Place {
    fn find() -> Self {
        match trusted_variable(CONFIG_VARIABLE).filter(|file| !file.is_empty()) {
            Some(file) => Self { file: file.into(), is_demanded: true },
            None => Self { file: CONFIG_FILE.into(), is_demanded: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("atecc.toml");
        fs::write(&file, text).unwrap();
        (folder, Place { file, is_demanded: false })
    }

    fn chosen(variable: Option<&str>, place: &Place) -> Vec<String> {
        choose(variable, place).unwrap().iter().map(DeviceSpec::to_string).collect()
    }

    #[test]
    fn the_nearest_word_counts() {
        let (_folder, place) = place("device = \"emulator:from-file\"\n");
        assert_eq!(default_device(Some("emulator:option")).unwrap().to_string(), "emulator:option");
        assert_eq!(chosen(Some("emulator:variable"), &place), ["emulator:variable"]);
        assert_eq!(chosen(Some(""), &place), ["emulator:from-file"]);
        assert_eq!(chosen(None, &place), ["emulator:from-file"]);
    }

    #[test]
    fn several_devices_come_in_their_order() {
        let (_folder, place) = place("devices = [\"emulator:c\", \"i2c:/dev/i2c-1\"]\n");
        assert_eq!(chosen(None, &place), ["emulator:c", "i2c:/dev/i2c-1"]);
        assert_eq!(
            chosen(Some("emulator:a b; emulator:c?clock=virtual;"), &place),
            ["emulator:a b", "emulator:c?clock=virtual"]
        );
    }

    #[test]
    fn a_mistake_in_the_variable_is_not_passed_over() {
        let (_folder, place) = place("device = \"emulator:from-file\"\n");
        assert!(
            choose(Some("emulator:good;usb"), &place).unwrap_err().to_string().contains("\"usb\" names no")
        );
    }

    #[test]
    fn mistakes_in_the_file_are_told_with_their_place() {
        let message = |text: &str| {
            let (_folder, place) = place(text);
            choose(None, &place).unwrap_err().to_string()
        };
        assert!(message("devise = \"emulator:x\"\n").contains("devise"));
        let message_of_the_spec = message("\ndevice = \"usb\"\n");
        assert!(message_of_the_spec.contains("names no device") && message_of_the_spec.contains("line 2"));
        assert!(message("").contains("no device is named"));
        assert!(message("device = \"emulator:x\"\ndevices = [\"emulator:y\"]\n").contains("both"));
    }

    #[test]
    fn without_any_word_the_three_ways_are_told() {
        let place = Place { file: "/nonexistent/atecc.toml".into(), is_demanded: false };
        let message = choose(None, &place).unwrap_err().to_string();
        for way in ["--device", DEVICE_VARIABLE, CONFIG_FILE] {
            assert!(message.contains(way), "{message}");
        }
    }

    #[test]
    fn a_file_that_was_asked_for_has_to_be_there() {
        let place = Place { file: "/nonexistent/atecc.toml".into(), is_demanded: true };
        assert!(matches!(choose(None, &place), Err(Error::ConfigUnreadable { .. })));
        assert_eq!(chosen(Some("emulator:variable"), &place), ["emulator:variable"]);
    }
}
