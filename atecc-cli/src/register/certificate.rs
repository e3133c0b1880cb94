//! How the certificate gets into the registry: the four methods.

use std::path::PathBuf;

use clap::ValueEnum;
use identity::{Identity, Key};

use super::{
    RegisterError, device, files,
    place::Work,
    report::{Outcome, Report},
};
use crate::{
    aws::{Registered, Status},
    error::Error,
};

/// Where the device's certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// It is there, from the factory or from any CA, and AWS takes it without knowing the CA.
    #[default]
    WithoutCa,
    /// It is there, from a CA of yours that is registered with `atecc ca register`.
    Ca,
    /// AWS issues it for the key in the chip, which signs a request.
    Csr,
    /// AWS issues it and makes the key as well, which comes over the network and lies in a file.
    AwsKey,
}

impl Method {
    /// Whether AWS issues the certificate.
    pub(super) const fn is_issued(self) -> bool {
        matches!(self, Self::Csr | Self::AwsKey)
    }
}

impl Work<'_> {
    /// The certificate, registered and active; `None`: it is not, and this is a dry run.
    pub(super) async fn certificate(&self, report: &mut Report) -> Result<Option<Registered>, Error> {
        match &self.device.certificate {
            Some(certificate) => {
                let known = self.known(&certificate.id, report).await?;
                if known.is_some() {
                    return Ok(known);
                }
                if self.is_dry {
                    report.step("certificate", Outcome::Missing, &certificate.id)?;
                    return Ok(None);
                }
                let (registered, was_there) = match self.method {
                    Method::Ca => {
                        let authority = self.authority.or(certificate.issuer.as_deref());
                        self.client.register_certificate(&certificate.pem, authority).await?
                    }
                    _ => self.client.register_certificate_without_ca(&certificate.pem).await?,
                };
                let outcome = if was_there { Outcome::Found } else { Outcome::Made };
                report.step("certificate", outcome, &active(&registered.id))?;
                Ok(Some(registered))
            }
            None => self.issued(report).await,
        }
    }

    /// The certificate that AWS issued before, or issues now.
    async fn issued(&self, report: &mut Report) -> Result<Option<Registered>, Error> {
        let (certificate, key) = (self.folder.join(files::CERTIFICATE), self.folder.join(files::KEY));
        if certificate.exists() {
            let identity = match &self.device.key {
                Some(key) => Identity::with_key(key.clone(), Some(&certificate)),
                None => Key::open(&identity::KeySource::File(key))
                    .and_then(|key| Identity::with_key(key, Some(&certificate))),
            };
            let id = device::certificate_id(&identity.map_err(RegisterError::Key)?);
            let known = self.known(&id, report).await?;
            return match known {
                Some(known) => Ok(Some(known)),
                None => {
                    let place = self.client.place().to_string();
                    Err(RegisterError::NotIssuedHere { file: certificate, place }.into())
                }
            };
        }
        if self.method == Method::AwsKey && key.exists() {
            return Err(RegisterError::OtherFile { file: key }.into());
        }
        if self.is_dry {
            report.step("certificate", Outcome::Missing, "issued by AWS")?;
            return Ok(None);
        }
        files::create_folder(self.folder)?;
        match &self.device.key {
            Some(signer) => self.request(signer, certificate, report).await.map(Some),
            None => self.make_key(certificate, key, report).await.map(Some),
        }
    }

    async fn request(&self, signer: &Key, file: PathBuf, report: &mut Report) -> Result<Registered, Error> {
        let request = signer.certificate_request(self.thing).map_err(RegisterError::Key)?;
        let (registered, pem) = self.client.create_certificate_from_request(&request).await?;
        report.step("certificate", Outcome::Made, &active(&registered.id))?;
        files::write_new(&file, &pem)?;
        Ok(registered)
    }

    async fn make_key(
        &self,
        file: PathBuf,
        key_file: PathBuf,
        report: &mut Report,
    ) -> Result<Registered, Error> {
        let (registered, pem, key) = self.client.create_keys_and_certificate().await?;
        report.step("certificate", Outcome::Made, &active(&registered.id))?;
        files::write_secret(&key_file, &key)?;
        files::write_new(&file, &pem)?;
        report.note(format!(
            "the private key came over the network, and whoever reads {} can be this device; a key in a chip never \
             leaves it",
            key_file.display()
        ))?;
        Ok(registered)
    }

    /// A certificate of this account, which waits for nothing afterwards. What somebody has switched off stays off.
    async fn known(&self, id: &str, report: &mut Report) -> Result<Option<Registered>, Error> {
        let Some((certificate, status)) = self.client.certificate(id).await? else { return Ok(None) };
        let id = id.to_owned();
        let outcome = match status {
            Status::Active => Outcome::Found,
            Status::Pending if self.is_dry => Outcome::Missing,
            Status::Pending => {
                self.client.activate_certificate(&id).await?;
                Outcome::Made
            }
            Status::Inactive => return Err(RegisterError::Inactive { id }.into()),
            Status::Closed => return Err(RegisterError::Closed { id }.into()),
        };
        report.step("certificate", outcome, &active(&id))?;
        Ok(Some(certificate))
    }
}

fn active(id: &str) -> String {
    format!("{id} (active)")
}
