//! What is in a manifest, before anything is registered.

use super::{
    super::{ManifestError, chip::Chip, problem::Problem, trust::Inspection},
    Arguments,
    report::Report,
};
use crate::{error::Error, session::Session};

/// A manifest that may be registered.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// How many chips can be registered.
    pub(super) chips: usize,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub(super) digest: String,
}

impl Survey {
    /// Verifies all entries, and reports those that are left out.
    ///
    /// # Errors
    /// When the file is damaged, there is nothing to register in it, or an entry is not to be believed, unless such are
    /// to be skipped.
    pub(super) fn take(session: &Session, arguments: &Arguments, report: &mut Report) -> Result<Self, Error> {
        let Arguments { source, json, .. } = arguments;
        let digest = source.digest()?;
        let (mut chips, mut entries, mut refused) = (0, 0, 0);
        let look =
            |entry, inspection: &Inspection<'_>| Chip::of(entry, inspection, &arguments.thing).map(drop);
        source.inspect(session, *json, look, |_, chip: Result<(), Problem>, meter| {
            entries += 1;
            match chip {
                Ok(()) => chips += 1,
                Err(problem) => {
                    refused += usize::from(problem.is_refused());
                    meter.suspend(|| report.leave_out(&problem))?;
                }
            }
            Ok(())
        })?;
        match (entries, chips) {
            (0, _) => Err(ManifestError::Empty { path: source.path().into() }.into()),
            _ if refused > 0 && !arguments.skip_refused => {
                Err(ManifestError::Refused { refused, entries }.into())
            }
            (_, 0) => Err(ManifestError::NothingToRegister { path: source.path().into() }.into()),
            _ => Ok(Self { chips, digest }),
        }
    }
}
