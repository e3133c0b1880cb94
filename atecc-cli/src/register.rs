//! `atecc register`.

mod certificate;
mod chain;
mod configuration;
mod device;
mod error;
mod files;
mod place;
mod policy;
mod report;
mod thing;

use std::{fs, path::PathBuf};

use atecc::Slot;
use certificate::Method;

pub(crate) use chain::read as read_certificates;
pub(crate) use error::RegisterError;
pub(crate) use policy::{Policy, PolicyOptions};
pub(crate) use report::{Outcome, Report};
pub(crate) use thing::Template;

use crate::{aws, error::Error, session::Session, values};
use device::Device;

/// Register a device with AWS IoT Core, and write the configuration with which atecc-agent connects.
///
/// The certificate that the chip left the factory with is registered as it is, without a CA (the same certificate
/// may be registered in any number of accounts and regions). Before that its chain is verified up to Microchip's
/// root, and the chip proves that it has the key by signing a fresh challenge. Then come a thing, named after the
/// certificate, and a policy that lets the device speak as this thing and as nobody else.
///
/// Run again, it finds what is there and adds what is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the device's certificate comes from.
    #[arg(long, value_enum, default_value_t)]
    method: Method,
    /// The slot of the key in the chip, with --method csr; by default that of the chip's first key.
    #[arg(long, value_name = "N", value_parser = values::slot, conflicts_with = "key")]
    slot: Option<Slot>,
    /// With --method ca: the certificate of the CA, in PEM, where several have the same subject.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// The private key, if it is in no chip: a pkcs11: URI (a TPM, an HSM, an SE050, SoftHSM), or a PEM file.
    #[arg(long, value_name = "KEY", conflicts_with = "device")]
    key: Option<String>,
    /// The certificate for the key, in PEM, with those above it; by default what chip, token or key file hold.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    certificate: Option<PathBuf>,
    /// The root that the certificate must lead to, in PEM, instead of Microchip's.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    root: Option<PathBuf>,
    /// The thing's name, which may contain {common_name} (of the certificate) and {serial} (of the chip).
    #[arg(long, value_name = "NAME", default_value = "{common_name}")]
    thing: Template,
    #[command(flatten)]
    policy: PolicyOptions,
    /// The folder for the agent's configuration; with several accounts or regions, each gets a folder in it.
    #[arg(long, value_name = "FOLDER", default_value = "atecc-agent", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// The CA certificates, in PEM, that the agent is to trust, instead of Amazon's.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    server_ca: Option<PathBuf>,
    /// Look and say what would be done; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    aws: aws::Options,
}

impl Arguments {
    /// Options that say nothing with this method are a mistake.
    fn check(&self) -> Result<(), RegisterError> {
        let is_wrong = [
            ("--slot", self.slot.is_some() && self.method != Method::Csr),
            ("--ca", self.ca.is_some() && self.method != Method::Ca),
            ("--key", self.key.is_some() && self.method == Method::AwsKey),
            ("--certificate", self.certificate.is_some() && self.method.is_issued()),
            ("--root", self.root.is_some() && self.method.is_issued()),
        ];
        match is_wrong.iter().find(|(_, is_wrong)| *is_wrong) {
            Some((option, _)) => Err(RegisterError::Meaningless { option }),
            None => Ok(()),
        }
    }
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let policy = arguments.policy.read()?;
    let authority = match &arguments.ca {
        Some(path) => {
            read_certificates(path)?;
            let text = fs::read_to_string(path);
            Some(text.map_err(|source| Error::InputFile { path: path.clone(), source })?)
        }
        None => None,
    };
    let server_ca = configuration::server_ca(arguments.server_ca.as_deref())?;
    arguments.check()?;
    let device = Device::open(session, arguments)?;
    device.prove_possession()?;
    let thing = arguments.thing.fill(&device)?;
    let mut report = Report::of_device(arguments.json, &device, &thing)?;
    aws::run(async {
        let clients = arguments.aws.clients().await?;
        let is_alone = clients.len() == 1;
        for client in &clients {
            let folder = configuration::folder(&arguments.out, client.place(), is_alone);
            let work = place::Work {
                client,
                device: &device,
                thing: &thing,
                method: arguments.method,
                authority: authority.as_deref(),
                policy: policy.as_ref(),
                server_ca: &server_ca,
                folder: &folder,
                is_dry: arguments.dry_run,
            };
            report.begin(client.place())?;
            let result = work.run(&mut report).await;
            report.end(result, is_alone)?;
        }
        report.finish()
    })
}
