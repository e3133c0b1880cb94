//! `[[lines]]`: what is switched and watched, and `[[toggles]]`: topics that switch.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::values::Template;

/// The line that there is if none is configured.
const LED: &str = "led";
/// How long the cloud may be away before a line goes to its safe state, if nothing else is said.
const SAFE_AFTER_SECONDS: u64 = 60;
/// How long a change of an input must last, if nothing else is said.
const DEBOUNCE_MILLISECONDS: u64 = 20;
/// The value of `chip` for a Raspberry Pi's lines through rppal.
const RASPBERRY_PI: &str = "rppal";
/// Bytes of the JSON of all properties of one shadow. AWS takes 8 KB, for what is desired and what is reported together
/// (page "AWS IoT Core endpoints and quotas").
const SHADOW_BYTES: usize = 4096;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The property of the shadow that it is.
    pub property: String,
    /// Where it is.
    pub pin: Pin,
    /// Whether the agent switches it; otherwise it watches it.
    pub is_output: bool,
    /// Whether "on" is the low voltage.
    pub active_low: bool,
    /// The state of an output at the start and the end of the agent, and without a cloud. `None`: off at the start, and
    /// left as it is in the other cases.
    pub safe: Option<bool>,
    /// How long the cloud may be away before that.
    pub safe_after: Duration,
    /// How long a change of an input must last before it counts.
    pub debounce: Duration,
    /// The named shadow that it is in; `None`: the classic one.
    pub shadow: Option<String>,
}

/// Where a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pin {
    /// In memory only.
    Simulated,
    /// One of the kernel's.
    Kernel {
        /// The chip's path, name or label; `None`: any that has a line of the name.
        chip: Option<String>,
        /// The line on it.
        line: Which,
    },
    /// A Raspberry Pi's line by its BCM number, through rppal.
    #[cfg(feature = "rppal")]
    RaspberryPi(u8),
}

/// A line of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its number on the chip.
    Offset(u32),
    /// By its name, as `gpioinfo` shows it.
    Name(String),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) => offset.fmt(f),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// A topic whose messages toggle a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Toggle {
    /// The topic filter.
    pub topic: Template,
    /// The property of the line.
    pub line: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    property: String,
    chip: Option<String>,
    offset: Option<u32>,
    line: Option<String>,
    #[serde(default)]
    direction: Direction,
    #[serde(default)]
    active_low: bool,
    safe: Option<bool>,
    safe_after_seconds: Option<u32>,
    debounce_milliseconds: Option<u32>,
    shadow: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Direction {
    #[default]
    Output,
    Input,
}

impl Typed {
    fn meant(self, shadow: Option<&str>) -> Result<Line, String> {
        let property = self.property;
        let problem = |problem: &str| Err(format!("line {property:?}: {problem}"));
        if !(1..=64).contains(&property.len()) || property.chars().any(char::is_control) {
            return problem("a property has 1 to 64 bytes, and no control characters");
        }
        let is_output = self.direction == Direction::Output;
        if !is_output && (self.safe.is_some() || self.safe_after_seconds.is_some()) {
            return problem("only an output has a safe state");
        }
        if is_output && self.debounce_milliseconds.is_some() {
            return problem("only an input is debounced");
        }
        let pin = match (self.chip, self.offset, self.line) {
            (None, None, None) => Pin::Simulated,
            (_, Some(_), Some(_)) => {
                return problem("`offset` and `line` both say which; one of them is enough");
            }
            (Some(_), None, None) => return problem("`chip` needs `offset` or `line`"),
            (None, Some(_), None) => return problem("`offset` needs `chip`"),
            (Some(chip), offset, _) if chip == RASPBERRY_PI => match raspberry_pi(offset) {
                Ok(pin) => pin,
                Err(text) => return problem(text),
            },
            (chip, Some(offset), None) => Pin::Kernel { chip, line: Which::Offset(offset) },
            (chip, None, Some(name)) => Pin::Kernel { chip, line: Which::Name(name) },
        };
        let seconds = |number: u32| Duration::from_secs(number.into());
        let milliseconds = |number: u32| Duration::from_millis(number.into());
        Ok(Line {
            pin,
            is_output,
            active_low: self.active_low,
            safe: self.safe,
            safe_after: self.safe_after_seconds.map_or(Duration::from_secs(SAFE_AFTER_SECONDS), seconds),
            debounce: self
                .debounce_milliseconds
                .map_or(Duration::from_millis(DEBOUNCE_MILLISECONDS), milliseconds),
            shadow: self.shadow.or_else(|| shadow.map(str::to_owned)),
            property,
        })
    }
}

#[cfg(feature = "rppal")]
fn raspberry_pi(offset: Option<u32>) -> Result<Pin, &'static str> {
    let number = offset.and_then(|offset| u8::try_from(offset).ok());
    number.map(Pin::RaspberryPi).ok_or("with `chip = \"rppal\"`, `offset` is the BCM number of the line")
}

#[cfg(not(feature = "rppal"))]
fn raspberry_pi(_offset: Option<u32>) -> Result<Pin, &'static str> {
    Err("this agent was built without rppal; name a chip of the kernel, or build it with `--features rppal`")
}

/// What is meant by `[[lines]]`; `shadow` is the one of `[shadow]`.
pub(super) fn meant(typed: Option<Vec<Typed>>, shadow: Option<&str>) -> Result<Vec<Line>, String> {
    let Some(typed) = typed else {
        let led = Typed { property: LED.to_owned(), ..Typed::default() };
        return Ok(vec![led.meant(shadow)?]);
    };
    let lines = typed.into_iter().map(|typed| typed.meant(shadow)).collect::<Result<Vec<_>, _>>()?;
    let mut bytes = BTreeMap::<Option<&str>, usize>::new();
    for (place, line) in lines.iter().enumerate() {
        if lines[..place].iter().any(|other| other.property == line.property) {
            return Err(format!("two lines are called {:?}", line.property));
        }
        if line.shadow.as_deref().is_some_and(|name| !is_shadow_name(name)) {
            return Err(format!("line {:?}: {SHADOW_NAME}", line.property));
        }
        // Quotes, colon, the longer of `true` and `false`, comma; a quote in a name takes two bytes.
        let all = bytes.entry(line.shadow.as_deref()).or_default();
        *all += line.property.escape_default().count() + 9;
        if *all > SHADOW_BYTES {
            return Err("there are more lines than one shadow can hold; put some into another with `shadow`"
                .to_owned());
        }
    }
    Ok(lines)
}

/// Whether every toggle has an output.
pub(super) fn check_toggles(toggles: &[Toggle], lines: &[Line]) -> Result<(), String> {
    let is_switched =
        |toggle: &&Toggle| lines.iter().any(|line| line.is_output && line.property == toggle.line);
    match toggles.iter().find(|toggle| !is_switched(toggle)) {
        None => Ok(()),
        Some(toggle) => Err(format!("{:?} in [[toggles]] is no output of [[lines]]", toggle.line)),
    }
}

/// What a shadow may be called.
pub(super) const SHADOW_NAME: &str = "a shadow's name has 1 to 64 letters, digits, `:`, `_` and `-`";

/// Whether a shadow may have this name (page "Device Shadow service": the same characters as a thing's).
pub(super) fn is_shadow_name(name: &str) -> bool {
    name.len() <= 64 && identity::is_thing_name(name)
}
