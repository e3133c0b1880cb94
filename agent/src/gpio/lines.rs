//! All lines of the agent, by the name of the property that each is.

use std::io;
use std::time::Duration;

use super::{Error, Line, SimulatedLine, kernel};
use crate::config::{self, Pin};

/// All lines of the agent.
#[derive(Default)]
pub struct Lines(Vec<Entry>);

struct Entry {
    config: config::Line,
    line: Box<dyn Line>,
}

/// Why a line does not become what somebody wants.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// There is none of this name.
    #[error("{0:?} is a property that this agent does not have")]
    Unknown(String),
    /// It is not for the agent to say.
    #[error("{0:?} is an input")]
    Input(String),
    /// The operating system does not let it.
    #[error("the line {property:?} cannot be switched: {source}")]
    Refused {
        /// The line.
        property: String,
        /// What the operating system says.
        source: io::Error,
    },
}

impl Lines {
    /// Requests every line that `config` names. `changed` is called, on any thread, when an input has changed.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn open(config: &[config::Line], changed: impl Fn() + Clone + Send + 'static) -> Result<Self, Error> {
        config
            .iter()
            .map(|config| Entry::open(config.clone(), changed.clone()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Puts `line` in the place of the one called `property`, if there is one.
    pub fn replace(&mut self, property: &str, line: Box<dyn Line>) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.config.property == property) {
            entry.line = line;
        }
    }

    /// Whether the line is on; `None`: there is none of this name.
    pub fn is_on(&self, property: &str) -> Option<bool> {
        self.find(property).map(|entry| entry.line.is_on())
    }

    /// The state of each line of the shadow called `shadow`; `None` is the classic one.
    pub fn of_shadow(&self, shadow: Option<&str>) -> impl Iterator<Item = (&str, bool)> {
        let is_there = move |entry: &&Entry| entry.config.shadow.as_deref() == shadow;
        self.0.iter().filter(is_there).map(|entry| (entry.config.property.as_str(), entry.line.is_on()))
    }

    /// The inputs, each with its state.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, bool)> {
        let inputs = self.0.iter().filter(|entry| !entry.config.is_output);
        inputs.map(|entry| (entry.config.property.as_str(), entry.line.is_on()))
    }

    /// Switches an output.
    ///
    /// # Errors
    /// When there is none of this name, or it does not let itself be switched.
    pub fn switch(&mut self, property: &str, on: bool) -> Result<(), Unfit> {
        let found = self.0.iter_mut().find(|entry| entry.config.property == property);
        let entry = found.ok_or_else(|| Unfit::Unknown(property.to_owned()))?;
        if !entry.config.is_output {
            return Err(Unfit::Input(property.to_owned()));
        }
        entry.line.set(on).map_err(|source| Unfit::Refused { property: property.to_owned(), source })
    }

    /// The outputs that are not in their safe state, and have one for a cloud that was away for `gone`; each with that
    /// state.
    pub fn unsafe_after(&self, gone: Duration) -> Vec<(String, bool)> {
        let wanted = self.0.iter().filter(|entry| entry.config.is_output && gone >= entry.config.safe_after);
        wanted
            .filter_map(|entry| {
                let safe = entry.config.safe?;
                (entry.line.is_on() != safe).then(|| (entry.config.property.clone(), safe))
            })
            .collect()
    }

    fn find(&self, property: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.config.property == property)
    }
}

impl Entry {
    fn open(config: config::Line, changed: impl Fn() + Send + 'static) -> Result<Self, Error> {
        let (property, active_low, debounce) = (&config.property, config.active_low, config.debounce);
        // Nothing moves at the start that would move back when the agent ends.
        let on = config.safe.unwrap_or(false);
        let line: Box<dyn Line> = match &config.pin {
            Pin::Simulated => {
                let mut line = SimulatedLine::default();
                // It has no way to fail.
                let _ = line.set(on);
                Box::new(line)
            }
            Pin::Kernel { chip, line } => {
                let found = kernel::Found::new(property, chip.as_deref(), line)?;
                if config.is_output {
                    Box::new(found.output(property, active_low, on)?)
                } else {
                    Box::new(found.input(property, active_low, debounce, changed)?)
                }
            }
            #[cfg(feature = "rppal")]
            Pin::RaspberryPi(number) => {
                if config.is_output {
                    Box::new(super::raspberry_pi::output(property, *number, active_low, on)?)
                } else {
                    Box::new(super::raspberry_pi::input(property, *number, active_low, debounce, changed)?)
                }
            }
        };
        Ok(Self { config, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        let text = format!("endpoint = 'a.test'\nca_file = 'ca.pem'\n{text}");
        let config = config::Config::parse(&text, std::path::Path::new("agent.toml")).unwrap();
        Lines::open(&config.lines, || {}).unwrap()
    }

    #[test]
    fn without_configuration_there_is_one_simulated_led() {
        let mut lines = lines("");
        lines.switch("led", true).unwrap();
        assert_eq!(lines.of_shadow(None).collect::<Vec<_>>(), [("led", true)]);
        assert!(lines.unsafe_after(Duration::MAX).is_empty(), "nobody said what is safe");
    }

    #[test]
    fn a_safe_state_is_the_first_and_the_one_without_a_cloud() {
        let mut lines = lines(
            "lines = [{ property = 'valve', safe = true, safe_after_seconds = 5 }, { property = 'fan', safe = false }]",
        );
        assert_eq!((lines.is_on("valve"), lines.is_on("fan")), (Some(true), Some(false)));
        lines.switch("valve", false).unwrap();
        lines.switch("fan", true).unwrap();
        assert!(lines.unsafe_after(Duration::from_secs(4)).is_empty());
        assert_eq!(lines.unsafe_after(Duration::from_secs(5)), [("valve".to_owned(), true)]);
        assert_eq!(lines.unsafe_after(Duration::MAX).len(), 2);
    }

    #[test]
    fn an_input_and_an_unknown_line_are_not_switched() {
        let mut lines = lines("lines = [{ property = 'door', direction = 'input' }]");
        assert!(matches!(lines.switch("door", true), Err(Unfit::Input(_))));
        assert!(matches!(lines.switch("led", true), Err(Unfit::Unknown(_))));
    }
}
