//! The manifest and the certificates that the user names.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    error::ManifestError,
    meter::Meter,
    pipeline,
    trust::{Inspection, Trust},
    x509,
};
use crate::{error::Error, output, session::Session};

/// A manifest, and whom to believe.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// The manifest, a JSON file; - is standard input.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Believe the log signer with this certificate (PEM or DER) too; may be repeated.
    #[arg(long, value_name = "CERT", value_hint = clap::ValueHint::FilePath)]
    log_signer: Vec<PathBuf>,
    /// Believe the root with this certificate (PEM or DER) too; may be repeated.
    #[arg(long, value_name = "CERT", value_hint = clap::ValueHint::FilePath)]
    root: Vec<PathBuf>,
}

impl Source {
    /// For messages.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Whether it can be read once only.
    pub(super) fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The SHA-256 of the file, in hexadecimal digits.
    pub(super) fn digest(&self) -> Result<String, Error> {
        let unreadable = |source| Error::InputFile { path: self.file.clone(), source };
        let mut file = File::open(&self.file).map_err(unreadable)?;
        let (mut digest, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
        loop {
            match file.read(&mut buffer).map_err(unreadable)? {
                0 => return Ok(output::hex(&digest.finalize())),
                length => digest.update(buffer.get(..length).unwrap_or_default()),
            }
        }
    }

    /// Inspects each entry, has `look` make something of it on one of several threads, and gives that to `take`,
    /// with the number of the entry, in the order of the file. A user who waits is shown how far it is, unless
    /// `quiet`.
    pub(super) fn inspect<T: Send>(
        &self,
        session: &Session,
        quiet: bool,
        look: impl Fn(usize, &Inspection<'_>) -> T + Sync,
        mut take: impl FnMut(usize, T, &Meter) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let trust = self.trust()?;
        let (input, length) = self.open(session)?;
        let mut meter = Meter::new(length, quiet);
        let input = meter.measure(input);
        let mut result = Ok(());
        pipeline::run(
            input,
            |first, entries| trust.inspect(first, entries, &look),
            |entry, found| {
                meter.show(entry);
                result = session.check_cancelled().and_then(|()| take(entry, found, &meter));
                result.is_ok()
            },
        )
        .map_err(|source| ManifestError::File { path: self.file.clone(), source })?;
        result
    }

    fn open(&self, session: &Session) -> Result<(Box<dyn Read + Send>, Option<u64>), Error> {
        if self.is_stdin() {
            if session.is_shell() {
                return Err(Error::ShellInput);
            }
            return Ok((Box::new(io::stdin()), None));
        }
        let file =
            File::open(&self.file).map_err(|source| Error::InputFile { path: self.file.clone(), source })?;
        let length = file.metadata().ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
        Ok((Box::new(file), length))
    }

    fn trust(&self) -> Result<Trust, Error> {
        let mut origins = Vec::new();
        let mut read = |paths: &[PathBuf]| -> Result<Vec<Vec<u8>>, Error> {
            let der = paths.iter().map(|path| certificate(path)).collect::<Result<Vec<_>, _>>()?;
            origins.extend(der.iter().cloned().zip(paths.iter().cloned()));
            Ok(der)
        };
        let (log_signers, roots) = (read(&self.log_signer)?, read(&self.root)?);
        Trust::new(&log_signers, &roots).map_err(|(der, problem)| {
            let path = origins.into_iter().find(|(other, _)| *other == der).map(|(_, path)| path);
            ManifestError::Certificate { path: path.unwrap_or_default(), problem }.into()
        })
    }
}

/// The certificate in a file, in DER.
pub(super) fn certificate(path: &Path) -> Result<Vec<u8>, Error> {
    let content = fs::read(path).map_err(|source| Error::InputFile { path: path.into(), source })?;
    x509::from_file(&content).ok_or_else(|| ManifestError::NotACertificate { path: path.into() }.into())
}
