//! What the agent needs to run: agent.toml, and the CA certificates that it trusts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    RegisterError, chain,
    device::{Device, Settings},
    files,
    report::Outcome,
};
use crate::{aws::Place, error::Error};

/// Amazon's roots, and Starfield's, which signs them for older clients: <https://www.amazontrust.com/repository/>. The
/// endpoints of AWS IoT Core lead to them (developer guide, "CA certificates for server authentication").
const AMAZON: &str = include_str!("amazon.pem");
const SERVER_CA: &str = "server-ca.pem";

/// The CA certificates in `file`, or Amazon's.
pub(super) fn server_ca(file: Option<&Path>) -> Result<String, Error> {
    let Some(path) = file else { return Ok(AMAZON.to_owned()) };
    chain::read(path)?;
    fs::read_to_string(path).map_err(|source| Error::InputFile { path: path.into(), source })
}

/// The folder for one place: `out` itself, or one in it if there are several.
pub(super) fn folder(out: &Path, place: &Place, is_alone: bool) -> PathBuf {
    let Place { profile, region, .. } = place;
    match profile {
        _ if is_alone => out.to_owned(),
        Some(profile) => out.join(format!("{}-{region}", profile.replace('/', "_"))),
        None => out.join(region),
    }
}

/// What agent.toml has to say.
pub(super) struct Configuration<'a> {
    pub(super) folder: &'a Path,
    pub(super) endpoint: &'a str,
    pub(super) server_ca: &'a str,
    pub(super) device: &'a Device,
    pub(super) thing: &'a str,
}

impl Configuration<'_> {
    /// agent.toml.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }

    /// Whether the files are there already. A setting that was added is no matter; one that says something else is.
    ///
    /// # Errors
    /// When a file is there that says something else.
    pub(super) fn look(&self) -> Result<Outcome, Error> {
        let authority = self.folder.join(SERVER_CA);
        let roots = read(&authority)?;
        if roots.as_ref().is_some_and(|text| text != self.server_ca) {
            return Err(RegisterError::OtherFile { file: authority }.into());
        }
        let file = self.file();
        let Some(text) = read(&file)? else { return Ok(Outcome::Missing) };
        let there: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let problem = error.message().replace('\n', "; ");
            RegisterError::NotAConfiguration { file: file.clone(), problem }
        })?;
        for (name, wanted) in self.settings() {
            let there = there.get(name);
            if !there.is_some_and(|there| self.is_same(there, &wanted)) {
                let there = there.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let (name, wanted) = (name.to_owned(), wanted.to_string());
                return Err(RegisterError::OtherConfiguration { file, name, there, wanted }.into());
            }
        }
        Ok(if roots.is_some() { Outcome::Found } else { Outcome::Missing })
    }

    /// The URI of a key may have got the place of the PIN that was not written.
    fn is_same(&self, there: &toml::Value, wanted: &toml::Value) -> bool {
        let (Some(text), Some(start)) = (there.as_str(), wanted.as_str()) else { return there == wanted };
        text == start || (self.device.lacks_pin && text.starts_with(start) && text.contains("pin-source="))
    }

    /// Writes the files.
    pub(super) fn write(&self) -> Result<(), RegisterError> {
        let mut text = format!(
            "# The agent as {}: `atecc register` wrote it. agent.example.toml describes every setting.\n",
            self.thing
        );
        if self.device.lacks_pin {
            text += "# The PIN was not written down: add `&pin-source=FILE` to the URI of the key.\n";
        }
        for (name, value) in self.settings() {
            text += &format!("{name} = {value}\n");
        }
        files::create_folder(self.folder)?;
        for (path, text) in [(self.folder.join(SERVER_CA), self.server_ca), (self.file(), &text)] {
            if !path.exists() {
                files::write_new(&path, text)?;
            }
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        let mut settings: Settings = vec![("endpoint", self.endpoint.into()), ("ca_file", SERVER_CA.into())];
        settings.extend(self.device.settings.iter().cloned());
        settings.extend([("thing_name", self.thing.into()), ("client_id", self.thing.into())]);
        settings
    }
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::InputFile { path: path.into(), source }),
    }
}
