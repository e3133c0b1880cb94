//! The string behind `pReserved` of C_Initialize, with which an application chooses the chip.
//!
//! "pReserved: reserved for future use. Should be NULL_PTR for this version of Cryptoki" (section 5.4). Two that load
//! modules for others put a string there nevertheless: NSS (the `parameters=` of a module, whose
//! CK_C_INITIALIZE_ARGS calls the field LibraryParameters) and p11-kit (`x-init-reserved:` of a module file). Nothing
//! tells such a string from an address that means something else or nothing, so it cannot be followed as a
//! pointer: whoever did would crash on the next best value. The kernel copies it instead, through
//! /proc/self/mem, where an address that is not mapped is an error and not a fault. What is no well-formed
//! string of settings gives CKR_ARGUMENTS_BAD, as the standard has it.

use std::{fs::File, os::unix::fs::FileExt as _};

use crate::error::Error;

/// What the string says: `device=i2c:/dev/i2c-1 config=/etc/gateway/atecc.toml`, each at most once. A value with blanks
/// stands between single or double quotes, as in NSS's module database.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The devices, instead of those that the environment or the configuration file names.
    pub(crate) device: Option<String>,
    /// The configuration file.
    pub(crate) config: Option<String>,
}

impl Parameters {
    /// The string at this address of the process.
    pub(crate) fn at(address: usize) -> Result<Self, Error> {
        Self::parse(&read(address).ok_or(Error::ArgumentsBad)?).ok_or(Error::ArgumentsBad)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parameters = Self::default();
        let mut rest = text.trim_ascii();
        while !rest.is_empty() {
            let (name, behind) = rest.split_once('=')?;
            let (value, behind) = value(behind)?;
            let place = match name {
                "device" => &mut parameters.device,
                "config" => &mut parameters.config,
                _ => return None,
            };
            if value.is_empty() || place.replace(value.to_owned()).is_some() {
                return None;
            }
            rest = behind.trim_ascii_start();
        }
        (parameters != Self::default()).then_some(parameters)
    }
}

/// A value, and what stands behind it: nothing or a blank.
fn value(text: &str) -> Option<(&str, &str)> {
    let (value, behind) = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split_once(quote)?,
        _ => text.split_at(text.find(' ').unwrap_or(text.len())),
    };
    (behind.is_empty() || behind.starts_with(' ')).then_some((value, behind))
}

/// Longest string, with the NUL behind it.
const LONGEST: usize = 1024;

/// The printable ASCII string at `address`, if there is one.
fn read(address: usize) -> Option<String> {
    let memory = File::open("/proc/self/mem").ok()?;
    let mut text = [0; LONGEST];
    let mut length = 0;
    // Up to the end of a page at a time: the one behind it may not be there, and need not be.
    while length < LONGEST && !text[..length].contains(&0) {
        let start = address.checked_add(length)?;
        let end = (length + PAGE - start % PAGE).min(LONGEST);
        memory.read_exact_at(&mut text[length..end], u64::try_from(start).ok()?).ok()?;
        length = end;
    }
    let text = text[..length].split(|byte| *byte == 0).next().filter(|text| text.len() < length)?;
    let printable = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    printable.then(|| String::from_utf8(text.to_vec()).ok())?
}

/// The smallest page of the systems that this module runs on.
const PAGE: usize = 4096;

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn parsed(text: &CStr) -> Result<Parameters, Error> {
        Parameters::at(text.as_ptr().addr())
    }

    fn parameters(device: Option<&str>, config: Option<&str>) -> Result<Parameters, Error> {
        Ok(Parameters { device: device.map(str::to_owned), config: config.map(str::to_owned) })
    }

    #[test]
    fn settings_in_any_order_with_and_without_quotes() {
        assert_eq!(parsed(c"device=i2c:/dev/i2c-1"), parameters(Some("i2c:/dev/i2c-1"), None));
        let both = parameters(Some("emulator:a b"), Some("/etc/x.toml"));
        assert_eq!(parsed(c" config=/etc/x.toml  device='emulator:a b' "), both);
        assert_eq!(parsed(c"device=\"emulator:a b\" config=/etc/x.toml"), both);
    }

    #[test]
    fn what_is_no_string_of_settings_is_refused() {
        for text in [
            c"",
            c" ",
            c"configdir='sql:/etc/pki' flags=internal",
            c"device",
            c"device=",
            c"device=''",
            c"device='a'b",
            c"device='a",
            c"device=a device=b",
            c"device=\x01",
            c"device=\xff",
            c"\x7fELF",
        ] {
            assert_eq!(parsed(text), Err(Error::ArgumentsBad), "{text:?}");
        }
        assert_eq!(
            parsed(&std::ffi::CString::new("device=".to_owned() + &"x".repeat(LONGEST)).unwrap()).err(),
            Some(Error::ArgumentsBad)
        );
    }

    #[test]
    fn addresses_without_memory_are_refused() {
        for address in [1, 0x10, PAGE, usize::MAX, usize::MAX - PAGE + 1, usize::MAX / 2] {
            assert_eq!(Parameters::at(address), Err(Error::ArgumentsBad), "{address:#x}");
        }
    }

    /// A string may end where the mapped memory does. That of a new thread's stack ends at a guard page, but no
    /// test can say where; a page that a string begins shortly before is as good.
    #[test]
    fn a_string_may_cross_into_another_page() {
        let mut memory = vec![b' '; 3 * PAGE];
        let start = memory.as_ptr().addr();
        let text = b"device=emulator:chip\0";
        let offset = start.next_multiple_of(PAGE) - start + PAGE - 7;
        memory[offset..offset + text.len()].copy_from_slice(text);
        assert_eq!(Parameters::at(start + offset), parameters(Some("emulator:chip"), None));
    }
}
