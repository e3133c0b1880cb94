//! `atecc manifest bulk`.

mod template;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};
use template::{Certificates, template};

use super::{
    ManifestError,
    chip::{Chip, pem},
    problem::{Problem, Problems},
    source::Source,
    trust::Inspection,
};
use crate::{aws::DEFAULT_POLICY, error::Error, output, register::Template, session::Session};

/// What AWS reads the things' parameters from.
const PARAMETERS: &str = "parameters.ndjson";
const TEMPLATE: &str = "template.json";
/// So many signers of chips are told of; a reel has one or a few.
const MAX_SIGNERS: usize = 1000;

/// Write what AWS's own bulk registration takes: a provisioning template, and the parameters of each chip.
///
/// The folder gets template.json, parameters.ndjson, and the certificate of each signer of the chips, which AWS has to
/// know first: `aws iot register-ca-certificate --certificate-mode SNI_ONLY --set-as-active`. Then `aws iot
/// start-thing-registration-task` does the rest, one task at a time per account, under the same quotas as
/// `atecc manifest register`, which needs no bucket, no role and no signer.
///
/// Group and policy must be there. Exit code 0: no entry was refused.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The folder for the files, which are replaced if they are there.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// Each thing's name, with {common_name} (of the certificate) or {serial} (of the chip).
    #[arg(long, value_name = "NAME", default_value = "{common_name}")]
    thing: Template,
    /// The group of things that all are added to.
    #[arg(long, value_name = "NAME", value_parser = super::chip::group_name)]
    group: Option<String>,
    /// The policy that is attached to each certificate.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_POLICY)]
    policy: String,
    /// Attach no policy; that of the group counts.
    #[arg(long, conflicts_with = "policy", requires = "group")]
    no_policy: bool,
    /// The certificates are registered already: name each by its id instead of giving it.
    #[arg(long)]
    registered: bool,
    /// Leave out entries that are not to be believed, and write the others.
    #[arg(long)]
    skip_refused: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(Debug, Default)]
struct Written {
    chips: usize,
    left_out: usize,
    refused: usize,
    /// DER.
    signers: BTreeSet<Vec<u8>>,
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> Result<(), Error> {
    if arguments.thing.is_fixed() {
        return Err(ManifestError::OneName.into());
    }
    let Arguments { out, json, .. } = arguments;
    fs::create_dir_all(out).map_err(|source| Error::OutputFile { path: out.clone(), source })?;
    let certificates = if arguments.registered { Certificates::ById } else { Certificates::Whole };
    let policy = (!arguments.no_policy).then_some(arguments.policy.as_str());
    let template = template(certificates, arguments.group.as_deref(), policy);
    output::text(&format!("{template:#}\n"), Some(&out.join(TEMPLATE)))?;

    let mut problems = Problems::new(*json)?;
    // Under another name until it is whole.
    let part = out.join(format!("{PARAMETERS}.part"));
    let result = write(session, arguments, certificates, &part, &mut problems).and_then(|written| {
        let target = out.join(PARAMETERS);
        fs::rename(&part, &target).map_err(|source| Error::OutputFile { path: target, source })?;
        for der in &written.signers {
            output::text(&pem(der).unwrap_or_default(), Some(&out.join(signer_file(der))))?;
        }
        Ok(written)
    });
    if result.is_err() {
        // What is left of it helps nobody, and nothing more can be done about it.
        let _ = fs::remove_file(&part);
    }
    let written = result.as_ref().ok();
    let signers: Vec<String> = written
        .map(|written| written.signers.iter().map(|der| signer_file(der)).collect())
        .unwrap_or_default();
    match written {
        Some(written) if !json => output::text(&next_steps(written, &signers, arguments), None)?,
        None if !json => {}
        _ => problems.end(&json!({
            "written": written.map(|written| written.chips),
            "without_certificate": written.map(|written| written.left_out),
            "refused": written.map(|written| written.refused),
            "signers": signers,
            "error": result.as_ref().err().map(ToString::to_string),
        }))?,
    }
    match result?.refused {
        0 => Ok(()),
        refused => Err(ManifestError::NotAll { failed: 0, refused }.into()),
    }
}

/// Writes a line for each chip to `file`.
fn write(
    session: &Session,
    arguments: &Arguments,
    certificates: Certificates,
    file: &Path,
    problems: &mut Problems,
) -> Result<Written, Error> {
    let unwritable = |source: io::Error| Error::OutputFile { path: file.into(), source };
    let mut lines = BufWriter::new(File::create(file).map_err(unwritable)?);
    let (mut written, mut entries) = (Written::default(), 0);
    let look = |entry, inspection: &Inspection<'_>| {
        let chip = Chip::of(entry, inspection, &arguments.thing)?;
        let line = certificates.parameters(&chip).map_err(|reason| Problem {
            entry,
            serial_number: Some(chip.serial_number.clone()),
            result: "failed",
            reason,
        })?;
        Ok((line, chip.signer))
    };
    arguments.source.inspect(session, arguments.json, look, |_, chip, meter| {
        entries += 1;
        match chip {
            Ok((line, signer)) => {
                written.chips += 1;
                if written.signers.len() < MAX_SIGNERS && !arguments.registered {
                    written.signers.insert(signer);
                }
                writeln!(lines, "{line}").map_err(unwritable)
            }
            Err(problem) => {
                let problem: Problem = problem;
                *if problem.is_refused() { &mut written.refused } else { &mut written.left_out } += 1;
                meter.suspend(|| problems.add(&problem))
            }
        }
    })?;
    lines.into_inner().map_err(|error| unwritable(error.into_error()))?.sync_all().map_err(unwritable)?;
    match (written.refused, written.chips) {
        (1.., _) if !arguments.skip_refused => {
            Err(ManifestError::Refused { refused: written.refused, entries }.into())
        }
        (_, 0) => Err(ManifestError::NothingToRegister { path: arguments.source.path().into() }.into()),
        _ => Ok(written),
    }
}

fn signer_file(der: &[u8]) -> String {
    let digest = output::hex(&Sha256::digest(der));
    format!("signer-{}.pem", digest.get(..16).unwrap_or_default())
}

/// What is left to do.
fn next_steps(written: &Written, signers: &[String], arguments: &Arguments) -> String {
    let Written { chips, left_out, refused, .. } = written;
    let out = arguments.out.display();
    let mut text = format!(
        "{chips} chips written to {out}, {left_out} without certificate, {refused} refused. Then, with a bucket and a role that \
         AWS IoT may read it with:\n"
    );
    for signer in signers {
        text += &format!(
            "  aws iot register-ca-certificate --certificate-mode SNI_ONLY --set-as-active --ca-certificate file://{out}/{signer}\n"
        );
    }
    text += &format!(
        "  aws s3 cp {out}/{PARAMETERS} s3://BUCKET/{PARAMETERS}\n  \
         aws iot start-thing-registration-task --template-body file://{out}/{TEMPLATE} --input-file-bucket BUCKET \
         --input-file-key {PARAMETERS} --role-arn ROLE\n"
    );
    text
}
