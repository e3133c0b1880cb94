//! The file as it is written: atecc.toml, key by key. A key that is not here is an error.

use std::path::{Path, PathBuf};

use atecc::{SerialNumber, Slot};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Config, SlotRule};
use crate::{DeviceSpec, Error};

/// Longest label, in bytes: it has to fit on a line.
const MAX_LABEL: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    device: Option<Spec>,
    devices: Option<Vec<Spec>>,
    #[serde(default)]
    slot: Vec<SlotTable>,
    #[serde(default)]
    pkcs11: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotTable {
    number: SlotNumber,
    label: Option<Label>,
    #[serde(default)]
    overwrite: bool,
    secret_file: Option<PathBuf>,
    serial: Option<Serial>,
    device: Option<Spec>,
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Config, Error> {
    let error = |source: toml::de::Error| Error::Config { file: path.into(), source: Box::new(source) };
    let file: File = toml::from_str(text).map_err(error)?;
    let devices = match (file.device, file.devices) {
        (Some(_), Some(_)) => {
            return Err(error(toml::de::Error::custom(
                "there are both device and devices; write one of them",
            )));
        }
        (Some(device), None) => vec![device.0],
        (None, devices) => devices.into_iter().flatten().map(|device| device.0).collect(),
    };
    let slots = file.slot.into_iter().map(SlotTable::into_rule).collect();
    Ok(Config { devices, slots, pkcs11: file.pkcs11, file: Some(path.into()) })
}

impl SlotTable {
    fn into_rule(self) -> SlotRule {
        SlotRule {
            slot: self.number.0,
            label: self.label.map(|label| label.0),
            overwrite: self.overwrite,
            secret_file: self.secret_file,
            serial: self.serial.map(|serial| serial.0),
            device: self.device.map(|device| device.0),
        }
    }
}

/// A device spec.
struct Spec(DeviceSpec);

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// The number of a slot that may hold a private key beside the first.
struct SlotNumber(Slot);

impl<'de> Deserialize<'de> for SlotNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Slot::new(number).map(Self).ok_or_else(|| D::Error::custom("slots have the numbers 0 to 15"))
    }
}

/// Something that a user reads, on one line.
struct Label(String);

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        if label.is_empty() || label.len() > MAX_LABEL || label.chars().any(char::is_control) {
            let message = "a label has 1 to 64 bytes, none of them a control character";
            return Err(D::Error::custom(message));
        }
        Ok(Self(label))
    }
}

/// Eighteen hexadecimal digits, as `atecc info` prints them.
struct Serial(SerialNumber);

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        serial_number(&digits).map(Self).ok_or_else(|| {
            D::Error::custom("a serial number has eighteen hexadecimal digits, as `atecc info` prints them")
        })
    }
}

fn serial_number(digits: &str) -> Option<SerialNumber> {
    let digits: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let whole = digits.len() == 2 * bytes.len();
    Some(SerialNumber::from_bytes(bytes.try_into().ok().filter(|_| whole)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Config {
        Config::parse(text, Path::new("atecc.toml")).unwrap()
    }

    #[test]
    fn every_key_is_understood() {
        let config = parsed(
            r#"
            devices = ["i2c:/dev/i2c-1", "emulator:chip"]

            [[slot]]
            number = 2
            label = "spare"
            overwrite = true
            secret_file = "/etc/atecc/secret"
            serial = "0123F8c58A4f9e2d01"
            device = "i2c:/dev/i2c-1"

            [[slot]]
            number = 3

            [pkcs11]
            store = "/var/lib/atecc"
            "#,
        );
        assert_eq!(config.devices.len(), 2);
        let serial = SerialNumber::from_bytes([0x01, 0x23, 0xf8, 0xc5, 0x8a, 0x4f, 0x9e, 0x2d, 0x01]);
        assert_eq!(
            config.slots,
            [
                SlotRule {
                    slot: Slot::new(2).unwrap(),
                    label: Some("spare".into()),
                    overwrite: true,
                    secret_file: Some("/etc/atecc/secret".into()),
                    serial: Some(serial),
                    device: Some("i2c:/dev/i2c-1".parse().unwrap()),
                },
                SlotRule {
                    slot: Slot::new(3).unwrap(),
                    label: None,
                    overwrite: false,
                    secret_file: None,
                    serial: None,
                    device: None
                },
            ]
        );
        assert_eq!(config.pkcs11["store"].as_str(), Some("/var/lib/atecc"));
        assert_eq!(config.file.as_deref(), Some(Path::new("atecc.toml")));
    }

    #[test]
    fn the_documented_example_is_understood() {
        let page = include_str!("../../../docs/configuration.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = parsed(example);
        let overwrite: Vec<_> =
            config.slots.iter().map(|rule| (rule.slot.number(), rule.overwrite)).collect();
        assert_eq!((config.devices.len(), overwrite), (1, vec![(2, false), (3, true)]));
        // What is commented out holds as well, where it does not contradict the rest.
        let all = example
            .replace("# devices", "devices")
            .replace("# serial", "serial")
            .replace("# device", "device");
        let more = all.replacen("device = ", "# device = ", 1);
        let config = parsed(&more);
        assert!(
            config.devices.len() == 2 && config.slots[1].serial.is_some() && config.slots[1].device.is_some()
        );
    }

    #[test]
    fn nothing_is_overwritten_unless_it_says_so() {
        assert!(parsed("").slots.is_empty());
        assert!(!parsed("[[slot]]\nnumber = 2\n").slots[0].overwrite);
    }

    #[test]
    fn a_rule_may_be_for_one_chip_only() {
        let device: DeviceSpec = "emulator:chip".parse().unwrap();
        let (one, other) = (SerialNumber::from_bytes([1; 9]), SerialNumber::from_bytes([2; 9]));
        let of_chip = &parsed("[[slot]]\nnumber = 2\nserial = \"010101010101010101\"\n").slots[0];
        assert!(of_chip.is_for(&device, &one) && !of_chip.is_for(&device, &other));
        let of_device = &parsed("[[slot]]\nnumber = 2\ndevice = \"i2c:/dev/i2c-1\"\n").slots[0];
        assert!(!of_device.is_for(&device, &one));
        let of_any = &parsed("[[slot]]\nnumber = 2\n").slots[0];
        assert!(of_any.is_for(&device, &one));
    }

    #[test]
    fn what_is_no_value_is_refused_with_the_reason() {
        for (text, reason) in [
            ("[[slot]]\nlabel = \"x\"\n", "number"),
            ("[[slot]]\nnumber = 16\n", "0 to 15"),
            ("[[slot]]\nnumber = -1\n", "-1"),
            ("[[slot]]\nnumber = 2\noverwrite = \"yes\"\n", "boolean"),
            ("[[slot]]\nnumber = 2\noverwite = true\n", "overwite"),
            ("[[slot]]\nnumber = 2\nlabel = \"\"\n", "1 to 64"),
            ("[[slot]]\nnumber = 2\nlabel = \"a\\nb\"\n", "control"),
            ("[[slot]]\nnumber = 2\nserial = \"0123\"\n", "eighteen"),
            ("[[slot]]\nnumber = 2\nserial = \"01010101010101010101\"\n", "eighteen"),
            ("[[slot]]\nnumber = 2\nserial = \"0101010101010101011\"\n", "eighteen"),
            ("[[slot]]\nnumber = 2\nserial = \"01010101010101010g\"\n", "eighteen"),
            ("devices = \"emulator:x\"\n", "sequence"),
            ("devices = [\"usb\"]\n", "names no device"),
        ] {
            let message = Config::parse(text, Path::new("atecc.toml")).unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
            assert!(message.contains("atecc.toml"), "{message}");
        }
    }
}
