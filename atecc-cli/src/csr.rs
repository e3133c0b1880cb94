//! `atecc csr`.

mod names;

use std::path::PathBuf;

use atecc::request::{AlternativeName, Attribute, KeyUsage, Request};
use names::{San, Subject};
use x509_cert::der::pem::{LineEnding, encode_string};

use crate::{error::Error, key_slot::KeySlot, output, session::Session};

/// Make a certificate request (CSR) for a key that is in the chip, in PEM.
///
/// A certificate authority makes a certificate of it, and never sees the key. `openssl req -verify -noout -text
/// -in FILE` shows what is inside.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The subject's name, such as CN=pump-7,O=Example,C=DE; by default CN= and the chip's serial number.
    ///
    /// A comma or backslash inside of a value is written behind a backslash. Known are CN, O, OU, C, L, ST and
    /// serialNumber.
    #[arg(long, value_name = "NAME")]
    subject: Option<Subject>,
    /// Another name of the subject: dns:HOST, ip:ADDRESS, uri:URI or email:MAILBOX; may be repeated.
    #[arg(long, value_name = "NAME")]
    san: Vec<San>,
    /// Ask for the key usage "digital signature"; authorities mostly decide that themselves.
    #[arg(long)]
    key_usage: bool,
    #[command(flatten)]
    key: KeySlot,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let serial_number = token.serial_number().to_string();
    let subject: Vec<Attribute<'_>> = match &arguments.subject {
        Some(subject) => subject.attributes().collect(),
        None => vec![Attribute::CommonName(&serial_number)],
    };
    let alternative_names: Vec<AlternativeName<'_>> = arguments.san.iter().map(San::name).collect();
    let request = Request {
        subject: &subject,
        alternative_names: &alternative_names,
        key_usage: arguments.key_usage.then_some(KeyUsage::DIGITAL_SIGNATURE),
    };
    let slot = arguments.key.of(&token)?;
    let to_be_signed = request.to_be_signed(&token.public_key(slot)?)?;
    let signature = token.sign(slot, &to_be_signed.digest())?;
    let der = to_be_signed.assemble(&signature)?;
    let pem =
        encode_string("CERTIFICATE REQUEST", LineEnding::LF, &der).map_err(x509_cert::der::Error::from)?;
    output::text(&pem, arguments.out.as_deref())
}
