//! All lines of the agent, by the name of the property that each is.

use std::io;
use std::time::{Duration, Instant};

use super::absent::{Absence, Absent};
use super::{Error, Line, SimulatedLine, kernel};
use crate::config::{self, Pin};

/// All lines of the agent.
pub struct Lines {
    entries: Vec<Entry>,
    open: Open,
}

/// Requests a line; an output is then in the state that is given.
type Open = Box<dyn Fn(&config::Line, bool) -> Result<Box<dyn Line>, Error> + Send>;

struct Entry {
    config: config::Line,
    line: Box<dyn Line>,
    /// `Some`: its hardware is gone.
    absence: Option<Absence>,
}

/// What became of the hardware of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is gone.
    Lost,
    /// It is there again, and an output is as it was before.
    Back,
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
        Self::open_by(config, Box::new(move |config, on| open(config, on, changed.clone())))
    }

    fn open_by(config: &[config::Line], open: Open) -> Result<Self, Error> {
        let entry = |config: &config::Line| {
            // Nothing moves at the start that would move back when the agent ends.
            let line = open(config, config.safe.unwrap_or(false))?;
            Ok(Entry { config: config.clone(), line, absence: None })
        };
        let entries = config.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { entries, open })
    }

    /// Looks whether the hardware of each line is still there, and requests anew, with growing waits, what was gone. Tells
    /// what changed since the last look.
    pub fn mend(&mut self, now: Instant) -> Vec<(String, Change)> {
        let Self { entries, open } = self;
        let changes = entries
            .iter_mut()
            .filter_map(|entry| entry.mend(now, open).map(|change| (entry.config.property.clone(), change)));
        changes.collect()
    }

    /// Puts `line` in the place of the one called `property`, if there is one.
    pub fn replace(&mut self, property: &str, line: Box<dyn Line>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.config.property == property) {
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
        self.entries.iter().filter(is_there).map(|entry| (entry.config.property.as_str(), entry.line.is_on()))
    }

    /// The inputs, each with its state.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, bool)> {
        let inputs = self.entries.iter().filter(|entry| !entry.config.is_output);
        inputs.map(|entry| (entry.config.property.as_str(), entry.line.is_on()))
    }

    /// Switches an output.
    ///
    /// # Errors
    /// When there is none of this name, or it does not let itself be switched.
    pub fn switch(&mut self, property: &str, on: bool) -> Result<(), Unfit> {
        let found = self.entries.iter_mut().find(|entry| entry.config.property == property);
        let entry = found.ok_or_else(|| Unfit::Unknown(property.to_owned()))?;
        if !entry.config.is_output {
            return Err(Unfit::Input(property.to_owned()));
        }
        entry.line.set(on).map_err(|source| Unfit::Refused { property: property.to_owned(), source })
    }

    /// The outputs that are not in their safe state, and have one for a cloud that was away for `gone`; each with that
    /// state.
    pub fn unsafe_after(&self, gone: Duration) -> Vec<(String, bool)> {
        let wanted =
            self.entries.iter().filter(|entry| entry.config.is_output && gone >= entry.config.safe_after);
        wanted
            .filter_map(|entry| {
                let safe = entry.config.safe?;
                (entry.line.is_on() != safe).then(|| (entry.config.property.clone(), safe))
            })
            .collect()
    }

    fn find(&self, property: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.config.property == property)
    }
}

impl Entry {
    fn mend(&mut self, now: Instant, open: &Open) -> Option<Change> {
        let Some(absence) = &mut self.absence else {
            if self.line.is_there() {
                return None;
            }
            // Whatever is left of the old one is let go of, or the new one would be found in use.
            self.line = Box::new(Absent(self.line.is_on()));
            self.absence = Some(Absence::new(now));
            return Some(Change::Lost);
        };
        if !absence.is_due(now) {
            return None;
        }
        // Why not is known: it was told when it was lost.
        self.line = open(&self.config, self.line.is_on()).ok()?;
        self.absence = None;
        Some(Change::Back)
    }
}

fn open(
    config: &config::Line,
    on: bool,
    changed: impl Fn() + Send + 'static,
) -> Result<Box<dyn Line>, Error> {
    let (property, active_low, debounce) = (&config.property, config.active_low, config.debounce);
    Ok(match &config.pin {
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
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn configured(text: &str) -> Vec<config::Line> {
        let text = format!("endpoint = 'a.test'\nca_file = 'ca.pem'\n{text}");
        config::Config::parse(&text, std::path::Path::new("agent.toml")).unwrap().lines
    }

    fn lines(text: &str) -> Lines {
        Lines::open(&configured(text), || {}).unwrap()
    }

    /// A line of an adapter that can be pulled.
    struct Pulled {
        line: SimulatedLine,
        plug: Arc<AtomicU32>,
        opened: u32,
    }

    impl Line for Pulled {
        fn set(&mut self, on: bool) -> io::Result<()> {
            self.line.set(on)
        }

        fn is_on(&self) -> bool {
            self.line.is_on()
        }

        fn is_there(&self) -> bool {
            self.plug.load(Ordering::SeqCst) == self.opened
        }
    }

    /// The number of the plug grows with each time that it is put in; 0 is a plug that is out.
    #[test]
    fn a_line_that_was_pulled_is_requested_anew_and_is_as_it_was() {
        let plug = Arc::new(AtomicU32::new(1));
        let of_lines = plug.clone();
        let open: Open = Box::new(move |config, on| {
            let opened = of_lines.load(Ordering::SeqCst);
            if opened == 0 {
                let (property, there) = (config.property.clone(), String::new());
                return Err(Error::NoChip { property, chip: "cp2112".to_owned(), there });
            }
            let mut line = SimulatedLine::default();
            let _ = line.set(on);
            Ok(Box::new(Pulled { line, plug: of_lines.clone(), opened }))
        });
        let mut lines = Lines::open_by(&configured("lines = [{ property = 'valve' }]"), open).unwrap();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        lines.switch("valve", true).unwrap();
        assert!(lines.mend(at(0)).is_empty());
        plug.store(0, Ordering::SeqCst);
        assert_eq!(lines.mend(at(1)), [("valve".to_owned(), Change::Lost)]);
        let refused = lines.switch("valve", false).unwrap_err().to_string();
        assert!(refused.contains("its chip is gone"), "{refused}");
        for second in 2..10 {
            assert!(lines.mend(at(second)).is_empty());
        }
        plug.store(2, Ordering::SeqCst);
        let back: Vec<_> = (10..20).flat_map(|second| lines.mend(at(second))).collect();
        assert_eq!(back, [("valve".to_owned(), Change::Back)]);
        assert_eq!(lines.is_on("valve"), Some(true));
        lines.switch("valve", false).unwrap();
        // Out and in again between two looks.
        plug.store(3, Ordering::SeqCst);
        assert_eq!(lines.mend(at(20)), [("valve".to_owned(), Change::Lost)]);
        assert_eq!(lines.mend(at(21)), [("valve".to_owned(), Change::Back)]);
        assert_eq!(lines.is_on("valve"), Some(false));
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
