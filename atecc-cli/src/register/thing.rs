//! What the thing is called.

use std::{fmt, str::FromStr};

use identity::is_thing_name;

use super::{RegisterError, device::Device};

/// A name with the placeholders `{common_name}` and `{serial}`, as in agent.toml.
#[derive(Clone, Debug)]
pub(crate) struct Template(String);

impl Template {
    /// The name of the thing that `device` becomes.
    ///
    /// # Errors
    /// When a placeholder stands for something that `device` does not have, or AWS takes no such name.
    pub(super) fn fill(&self, device: &Device) -> Result<String, RegisterError> {
        let serial = device.key.as_ref().and_then(|key| key.serial_number()).map(|serial| serial.to_string());
        self.name(device.common_name.as_deref(), serial.as_deref())
    }

    /// The same for a chip that is not at hand: its certificate's common name, as [`identity::thing_name`] has it, and its
    /// serial number in 18 upper-case digits.
    pub(crate) fn name(
        &self,
        common_name: Option<&str>,
        serial_number: Option<&str>,
    ) -> Result<String, RegisterError> {
        let mut name = self.0.clone();
        if let Some(common_name) = common_name {
            name = name.replace("{common_name}", common_name);
        }
        if let Some(serial_number) = serial_number {
            name = name.replace("{serial}", serial_number);
        }
        match is_thing_name(&name) {
            true => Ok(name),
            false if name.contains('{') => Err(RegisterError::NoName { name }),
            false => Err(RegisterError::ThingName { name }),
        }
    }
}

impl Template {
    /// Whether all things would have the same name.
    pub(crate) fn is_fixed(&self) -> bool {
        !self.0.contains('{')
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.replace("{common_name}", "x").replace("{serial}", "x");
        if is_thing_name(&rest) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a thing's name has 1 to 128 letters, digits, `:`, `_` and `-`; {common_name} and {serial} stand for \
                 those of the device"
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_name_is_refused_before_anything_is_done() {
        for text in ["{common_name}", "pump-{serial}", "pump-7"] {
            assert!(text.parse::<Template>().is_ok(), "{text}");
        }
        for text in ["", "pump 7", "{mac}", "{serial", &"a".repeat(129)] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
