//! `atecc register`.

mod chain;
mod configuration;
mod device;
mod error;
mod place;
mod report;
mod thing;

use std::path::PathBuf;

pub(crate) use error::RegisterError;

use crate::{aws, error::Error, register::report::Report, session::Session};
use device::Device;

/// Register a device with AWS IoT Core, and write the configuration with which atecc-agent connects.
///
/// The certificate that the chip left the factory with is registered as it is, without a CA (the same certificate may be
/// registered in any number of accounts and regions). Before that its chain is verified up to Microchip's root, and
/// the chip proves that it has the key by signing a fresh challenge. Then come a thing, named after the certificate, and a
/// policy that lets the device speak as this thing and as nobody else.
///
/// Run again, it finds what is there and adds what is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
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
    thing: thing::Template,
    #[command(flatten)]
    policy: place::PolicyOptions,
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

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let policy = arguments.policy.read()?;
    let server_ca = configuration::server_ca(arguments.server_ca.as_deref())?;
    let device = Device::open(session, arguments)?;
    device.prove_possession()?;
    let thing = arguments.thing.fill(&device.identity)?;
    let mut report = Report::new(arguments.json, &device, &thing)?;
    aws::run(async {
        let clients = arguments.aws.clients().await?;
        let is_alone = clients.len() == 1;
        for client in &clients {
            let folder = configuration::folder(&arguments.out, client.place(), is_alone);
            let work = place::Work {
                client,
                device: &device,
                thing: &thing,
                policy: &policy,
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
