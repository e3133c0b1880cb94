//! Which device is meant when nobody says.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use nix::unistd::{getegid, geteuid, getgid, getuid};
use serde::Deserialize;

use crate::{DeviceSpec, Error};

/// The environment variable that names the device.
pub const DEVICE_VARIABLE: &str = "ATECC_DEVICE";
/// The file that names the device for everybody on the machine.
pub const CONFIG_FILE: &str = "/etc/atecc/atecc.toml";

/// The device that is meant: `explicit` (an option of the program), else `ATECC_DEVICE`, else `device` in
/// /etc/atecc/atecc.toml.
///
/// A process that runs with more rights than its caller (set-user-id, set-group-id, file capabilities) does
/// not look at the environment, since the caller writes it.
///
/// # Errors
/// When nothing names a device, or what does is not understood.
pub fn default_device(explicit: Option<&str>) -> Result<DeviceSpec, Error> {
    let variable = trusted_variable(DEVICE_VARIABLE);
    let variable = variable.map(|value| value.to_string_lossy().into_owned());
    choose(explicit, variable.as_deref(), Path::new(CONFIG_FILE))
}

/// The environment variable `name`, unless this process runs with more rights than its caller, who writes the
/// environment.
pub fn trusted_variable(name: &str) -> Option<OsString> {
    if has_more_rights_than_its_caller() { None } else { env::var_os(name) }
}

fn choose(explicit: Option<&str>, variable: Option<&str>, file: &Path) -> Result<DeviceSpec, Error> {
    if let Some(spec) = explicit.or(variable.filter(|value| !value.is_empty())) {
        return Ok(spec.parse()?);
    }
    match fs::read_to_string(file) {
        Ok(text) => {
            let config: Config = toml::from_str(&text)
                .map_err(|source| Error::Config { file: file.into(), source: source.into() })?;
            Ok(config.device.ok_or(Error::NoDevice)?.parse()?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NoDevice),
        Err(source) => Err(Error::ConfigUnreadable { file: PathBuf::from(file), source }),
    }
}

/// Whether the kernel started this program with rights that its caller does not have: another user or group, or
/// (AT_SECURE in the auxiliary vector, getauxval(3)) capabilities of the file.
fn has_more_rights_than_its_caller() -> bool {
    const AT_SECURE: usize = 23;
    if getuid() != geteuid() || getgid() != getegid() {
        return true;
    }
    match fs::read("/proc/self/auxv") {
        Ok(vector) => vector
            .chunks_exact(2 * size_of::<usize>())
            .filter_map(|pair| pair.split_first_chunk::<{ size_of::<usize>() }>())
            .any(|(kind, value)| {
                usize::from_ne_bytes(*kind) == AT_SECURE && value.iter().any(|&byte| byte != 0)
            }),
        // Such a program may not look into its own vector. Whoever cannot tell trusts nobody.
        Err(_) => true,
    }
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    device: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("atecc.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_nearest_word_counts() {
        let (_folder, path) = file("device = \"emulator:from-file\"\n");
        let chosen = |explicit, variable| choose(explicit, variable, &path).unwrap().to_string();
        assert_eq!(chosen(Some("emulator:option"), Some("emulator:variable")), "emulator:option");
        assert_eq!(chosen(None, Some("emulator:variable")), "emulator:variable");
        assert_eq!(chosen(None, Some("")), "emulator:from-file");
        assert_eq!(chosen(None, None), "emulator:from-file");
    }

    #[test]
    fn mistakes_in_the_file_are_told() {
        let message = |text: &str| {
            let (_folder, path) = file(text);
            choose(None, None, &path).unwrap_err().to_string()
        };
        assert!(message("devise = \"emulator:x\"\n").contains("devise"));
        assert!(message("device = \"usb\"\n").contains("names no device"));
        assert!(message("").contains("no device is named"));
    }

    #[test]
    fn without_any_word_the_three_ways_are_told() {
        let message = choose(None, None, Path::new("/nonexistent/atecc.toml")).unwrap_err().to_string();
        for way in ["--device", DEVICE_VARIABLE, CONFIG_FILE] {
            assert!(message.contains(way), "{message}");
        }
    }
}
