//! Lines of the kernel's GPIO character devices (/dev/gpiochipN), through gpiocdev.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::chip::{Chip, chips};
use gpiocdev::line::{EdgeDetection, Offset, Value};

use super::Line;
use super::error::Error;
use super::input::{Input, Level};
use super::node::Node;
use crate::config;

/// By which `gpioinfo` shows who has the line.
const CONSUMER: &str = "atecc-agent";
/// How often an input is read whose chip reports no edges.
const POLL: Duration = Duration::from_millis(20);

/// A line that was found, and is free.
#[derive(Debug)]
pub(super) struct Found {
    chip: PathBuf,
    offset: Offset,
}

impl Found {
    /// Looks for the line that the configuration means.
    pub(super) fn new(property: &str, chip: Option<&str>, line: &config::Which) -> Result<Self, Error> {
        let property = || property.to_owned();
        let paths = match chip {
            Some(chip) => vec![find_chip(chip).ok_or_else(|| Error::NoChip {
                property: property(),
                chip: chip.to_owned(),
                there: chips_there(),
            })?],
            None => chips().unwrap_or_default(),
        };
        let mut forbidden = None;
        for path in &paths {
            let chip = match Chip::from_path(path) {
                Ok(chip) => chip,
                Err(_) if is_forbidden(path) => {
                    forbidden = Some(Error::NoPermission { property: property(), chip: path.clone() });
                    continue;
                }
                Err(error) => {
                    return Err(refused(property(), &format!("cannot open {}", path.display()), error));
                }
            };
            let offset = match line {
                config::Which::Offset(offset) => Some(*offset),
                config::Which::Name(name) => chip.find_line_info(name).map(|info| info.offset),
            };
            let Some(offset) = offset else { continue };
            let lines = chip.info().map_or(0, |info| info.num_lines);
            if offset >= lines {
                let there = format!("its lines are 0 to {}", lines.saturating_sub(1));
                let (chip, line) = (path.display().to_string(), offset.to_string());
                return Err(Error::NoLine { property: property(), chip, line, there });
            }
            let info =
                chip.line_info(offset).map_err(|error| refused(property(), "cannot ask for it", error))?;
            if info.used {
                let user = if info.consumer.is_empty() { "the kernel".to_owned() } else { info.consumer };
                return Err(Error::Busy { property: property(), chip: path.clone(), offset, user });
            }
            return Ok(Self { chip: path.clone(), offset });
        }
        Err(forbidden.unwrap_or_else(|| Error::NoLine {
            property: property(),
            chip: chip.map_or("this machine".to_owned(), str::to_owned),
            line: line.to_string(),
            there: "`gpioinfo` lists all lines".to_owned(),
        }))
    }

    /// The line as an output, in the state `on` from the beginning.
    pub(super) fn output(self, property: &str, active_low: bool, on: bool) -> Result<Output, Error> {
        let mut builder = Request::builder();
        builder.on_chip(&self.chip).with_consumer(CONSUMER).with_line(self.offset);
        if active_low {
            builder.as_active_low();
        }
        let request = builder.as_output(value(on)).request();
        let request =
            request.map_err(|error| refused(property.to_owned(), "cannot make it an output", error))?;
        Ok(Output { request, offset: self.offset, on, node: Node::new(&self.chip), failed: false })
    }

    /// The line as an input.
    pub(super) fn input(
        self,
        property: &str,
        active_low: bool,
        debounce: Duration,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Input, Error> {
        let request = |edges: Option<EdgeDetection>| {
            let mut builder = Request::builder();
            builder.on_chip(&self.chip).with_consumer(CONSUMER).with_line(self.offset).as_input();
            if active_low {
                builder.as_active_low();
            }
            builder.with_edge_detection(edges).request()
        };
        // Not every chip has interrupts.
        let (request, has_edges) = match request(Some(EdgeDetection::BothEdges)) {
            Ok(request) => (request, true),
            Err(_) => {
                let request = request(None);
                (
                    request
                        .map_err(|error| refused(property.to_owned(), "cannot make it an input", error))?,
                    false,
                )
            }
        };
        let pin = Pin { request, offset: self.offset, has_edges };
        let node = Some(Node::new(&self.chip));
        Input::watch(property, pin, node, debounce, changed).map_err(|source| Error::Refused {
            property: property.to_owned(),
            action: "cannot watch it".to_owned(),
            source,
        })
    }
}

/// A line that is switched.
#[derive(Debug)]
pub(super) struct Output {
    request: Request,
    offset: Offset,
    on: bool,
    node: Node,
    /// It could not be switched.
    failed: bool,
}

impl Line for Output {
    fn set(&mut self, on: bool) -> io::Result<()> {
        let result = self.request.set_value(self.offset, value(on)).map_err(io::Error::other);
        self.failed = result.is_err();
        result.inspect(|()| self.on = on)
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn is_there(&self) -> bool {
        !self.failed && self.node.is_there()
    }
}

struct Pin {
    request: Request,
    offset: Offset,
    has_edges: bool,
}

impl Level for Pin {
    fn wait(&mut self, limit: Duration) -> io::Result<()> {
        if !self.has_edges {
            thread::sleep(POLL.min(limit));
            return Ok(());
        }
        let mut is_edge = self.request.wait_edge_event(limit);
        while is_edge.map_err(io::Error::other)? {
            self.request.read_edge_event().map_err(io::Error::other)?;
            is_edge = self.request.has_edge_event();
        }
        Ok(())
    }

    fn is_on(&mut self) -> io::Result<bool> {
        self.request.value(self.offset).map(|value| value == Value::Active).map_err(io::Error::other)
    }
}

fn value(on: bool) -> Value {
    if on { Value::Active } else { Value::Inactive }
}

/// A chip by its path, its name (`gpiochip0`), or its label, which stays the same when the numbers change.
fn find_chip(wanted: &str) -> Option<PathBuf> {
    let path = Path::new("/dev").join(wanted);
    if path.exists() {
        return Some(path);
    }
    let has_label = |path: &PathBuf| label(path).is_some_and(|label| label == wanted);
    chips().unwrap_or_default().into_iter().find(has_label)
}

fn label(path: &Path) -> Option<String> {
    Some(Chip::from_path(path).ok()?.info().ok()?.label)
}

fn chips_there() -> String {
    let named = |path: &PathBuf| match label(path) {
        Some(label) => format!("{} ({label})", path.display()),
        None => path.display().to_string(),
    };
    match chips().unwrap_or_default().iter().map(named).collect::<Vec<_>>() {
        none if none.is_empty() => "this machine has none; is the driver loaded?".to_owned(),
        all => format!("there are {}", all.join(", ")),
    }
}

fn is_forbidden(path: &Path) -> bool {
    std::fs::File::open(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn refused(property: String, action: &str, error: gpiocdev::Error) -> Error {
    Error::Refused { property, action: action.to_owned(), source: io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_that_is_not_there_is_told_with_those_that_are() {
        let error = Found::new("led", Some("gpiochip4711"), &config::Which::Offset(3)).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("line \"led\": there is no GPIO chip gpiochip4711; th"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_chip_is_refused() {
        let error = Found::new("led", Some("/dev/null"), &config::Which::Offset(3)).unwrap_err();
        assert!(error.to_string().starts_with("line \"led\": cannot open /dev/null: "), "{error}");
    }
}
