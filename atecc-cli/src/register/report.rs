//! What was done, for people as it happens and for programs at the end.

use serde::Serialize;

use super::{RegisterError, device::Device};
use crate::{aws::Place, error::Error, output};

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was there.
    Found,
    /// It was made.
    Made,
    /// It is not there, and would be made if this were no dry run.
    Missing,
}

/// A thing that had to be there.
#[derive(Clone, Debug, Serialize)]
struct Step {
    step: &'static str,
    outcome: Outcome,
    what: String,
}

/// One account in one region.
#[derive(Debug, Serialize)]
struct Registration {
    #[serde(flatten)]
    place: Place,
    steps: Vec<Step>,
    notes: Vec<String>,
    configuration: Option<String>,
    error: Option<String>,
}

/// Who is registered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Subject {
    Device {
        emulated: bool,
        serial_number: Option<String>,
        key: String,
        certificate: String,
        possession: &'static str,
        certificate_id: Option<String>,
        thing: String,
    },
    Authority {
        authority: String,
        certificate_id: String,
    },
}

/// The JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(skip)]
    json: bool,
    #[serde(flatten)]
    subject: Subject,
    registrations: Vec<Registration>,
}

impl Report {
    /// A device, which has proven that it has its key, unless AWS shall make it.
    pub(super) fn of_device(json: bool, device: &Device, thing: &str) -> Result<Self, Error> {
        let key = device.key.as_ref();
        let name = key.map_or_else(|| "made by AWS".to_owned(), |key| key.to_string());
        let (id, certificate) = match &device.certificate {
            Some(certificate) => (Some(certificate.id.clone()), certificate.trust.to_string()),
            None => (None, "issued by AWS".to_owned()),
        };
        let report = Self {
            json,
            subject: Subject::Device {
                emulated: key.is_some_and(|key| key.is_emulated()),
                serial_number: key.and_then(|key| key.serial_number()).map(|serial| serial.to_string()),
                key: name.clone(),
                certificate: certificate.clone(),
                possession: if key.is_some() { "proven" } else { "not asked" },
                certificate_id: id.clone(),
                thing: thing.to_owned(),
            },
            registrations: Vec::new(),
        };
        let signed = if key.is_some() { ": it signed a fresh challenge" } else { "" };
        report.line("key", &format!("{name}{signed}"))?;
        let id = id.map(|id| format!("{id}, ")).unwrap_or_default();
        report.line("certificate", &format!("{id}{certificate}"))?;
        Ok(report)
    }

    /// A certificate authority.
    pub(crate) fn of_authority(json: bool, name: &str, id: &str) -> Result<Self, Error> {
        let subject = Subject::Authority { authority: name.to_owned(), certificate_id: id.to_owned() };
        let report = Self { json, subject, registrations: Vec::new() };
        report.line("authority", name)?;
        Ok(report)
    }

    /// Work in `place` begins.
    pub(crate) fn begin(&mut self, place: &Place) -> Result<(), Error> {
        let (steps, notes) = Default::default();
        let place = place.clone();
        if !self.json {
            output::text(&format!("{place}\n"), None)?;
        }
        self.registrations.push(Registration { place, steps, notes, configuration: None, error: None });
        Ok(())
    }

    /// A step is done.
    pub(crate) fn step(&mut self, step: &'static str, outcome: Outcome, what: &str) -> Result<(), Error> {
        let says = match outcome {
            Outcome::Found => "is there",
            Outcome::Made => "made",
            Outcome::Missing => "would be made",
        };
        self.line(&format!("  {step}"), &format!("{says:<14}{what}"))?;
        if let Some(now) = self.registrations.last_mut() {
            now.steps.push(Step { step, outcome, what: what.to_owned() });
        }
        Ok(())
    }

    /// Something that the user should know.
    pub(crate) fn note(&mut self, note: String) -> Result<(), Error> {
        self.line("  note", &note)?;
        if let Some(now) = self.registrations.last_mut() {
            now.notes.push(note);
        }
        Ok(())
    }

    /// Work in this place is over. An error of the only place is that of the verb.
    pub(crate) fn end(&mut self, result: Result<Option<String>, Error>, is_alone: bool) -> Result<(), Error> {
        let half_made = self.half_made();
        let Some(now) = self.registrations.last_mut() else { return Ok(()) };
        match result {
            Ok(configuration) => {
                now.configuration.clone_from(&configuration);
                match configuration {
                    Some(file) => self.line("  run", &format!("atecc-agent run --config {file}")),
                    None => Ok(()),
                }
            }
            Err(error) if error.is_closed_pipe() => Err(error),
            Err(error) => {
                let error = match half_made {
                    Some(half_made) => RegisterError::HalfMade { error: Box::new(error), half_made }.into(),
                    None => error,
                };
                now.error = Some(error.to_string());
                if !is_alone {
                    eprintln!("atecc: {error}");
                    return Ok(());
                }
                if self.json {
                    output::json(self)?;
                }
                Err(error)
            }
        }
    }

    /// All places are done.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        if self.json {
            output::json(self)?;
        }
        let all = self.registrations.len();
        match self.registrations.iter().filter(|each| each.error.is_some()).count() {
            0 => Ok(()),
            failed => Err(RegisterError::Places { failed, all }.into()),
        }
    }

    /// What this run left behind in the place that it works at.
    fn half_made(&self) -> Option<String> {
        let now = self.registrations.last()?;
        let made = now.steps.iter().filter(|step| step.outcome == Outcome::Made);
        let made: Vec<String> = made.map(|step| format!("{} {}", step.step, step.what)).collect();
        (!made.is_empty()).then(|| {
            format!(
                "the registration in {} is half made: {} were made before that and stay. Run the same command again, \
                 and it goes on from there",
                now.place,
                made.join(", ")
            )
        })
    }

    fn line(&self, name: &str, text: &str) -> Result<(), Error> {
        if self.json { Ok(()) } else { output::text(&format!("{name:<16}{text}\n"), None) }
    }
}
