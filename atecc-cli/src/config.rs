//! `atecc config`.

mod fields;

use std::fmt::Write;

use fields::Field;
use serde::Serialize;

use crate::{
    error::Error,
    output,
    session::Session,
    slots::{self, Description},
};

/// Explain the configuration zone of the chip, field by field.
///
/// It says what the chip is and what each slot may do. In a locked chip it does not change any more.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// The JSON document.
#[derive(Serialize)]
struct Document {
    serial_number: String,
    emulated: bool,
    /// All 128 bytes.
    zone: String,
    fields: Vec<Field>,
    slots: Vec<Description>,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let configuration = token.read_configuration()?;
    let document = Document {
        serial_number: token.serial_number().to_string(),
        emulated: token.is_emulated(),
        zone: output::hex(configuration.as_bytes()),
        fields: fields::explain(&configuration),
        slots: slots::describe_all(&configuration),
    };
    if arguments.json { output::json(&document) } else { output::text(&table(&document), None) }
}

fn table(document: &Document) -> String {
    let mut text = String::new();
    if document.emulated {
        text += "EMULATOR: this chip is software, for trials and tests only\n";
    }
    for field in &document.fields {
        let place = format!("{}-{}", field.first, field.last);
        let place = if field.first == field.last { field.first.to_string() } else { place };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{place:<8}{:<24}{:<18}{}", field.name, field.value, field.meaning);
    }
    text
}
