//! `atecc ca register`.

mod authority;
mod entrance;
mod place;

use std::path::PathBuf;

use authority::Issuer;
use clap::ValueEnum;
use entrance::EntranceOptions;

use super::{CaError, template, verification};
use crate::{
    aws::{self, Entrance},
    error::Error,
    register::{PolicyOptions, Report},
    session::Session,
};

/// Register a certificate authority.
///
/// In mode `sni-only` several accounts may have the same CA, and nobody proves to have its key. In mode `default` one
/// account has it, which --key proves: it signs a certificate for the registration code of the account.
///
/// With --from-chip it is the authority that signed the chip's certificate. Microchip signs the chips of all its
/// customers with such authorities, so strangers have chips of the same one: what comes in by itself must be let in
/// by an allow-list (docs/registration.md).
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The CA's certificate, in PEM.
    #[arg(long, value_name = "FILE", required_unless_present = "from_chip", value_hint = clap::ValueHint::FilePath)]
    certificate: Option<PathBuf>,
    /// The authority that signed the chip's certificate, which the chip stores.
    #[arg(long, conflicts_with_all = ["certificate", "key"])]
    from_chip: bool,
    /// Whether one account has it or many.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// The CA's private key, for --mode default: a PEM file, a pkcs11: URI or a chip (i2c:/dev/i2c-1).
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    entrance: EntranceOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    /// For scripts: strangers' chips of the same authority may come in too.
    #[arg(long, requires = "from_chip")]
    yes_let_strangers_in: bool,
    /// Look and say what would be done; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    aws: aws::Options,
}

/// The modes of a CA (API reference of AWS IoT, `RegisterCACertificate`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Any number of accounts; devices must name the endpoint in SNI, as atecc-agent does.
    #[default]
    SniOnly,
    /// One account in a region.
    Default,
}

pub(super) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let policy = arguments.policy.read()?;
    let issuer = Issuer::open(session, arguments)?;
    let entrance = arguments.entrance.read(policy.as_ref())?;
    let provisions = matches!(entrance, Entrance::Provisions { .. });
    if arguments.from_chip && provisions {
        issuer.consent(session, arguments.yes_let_strangers_in || arguments.dry_run)?;
    }
    let policy = policy.filter(|_| provisions);
    let mut report = Report::of_authority(arguments.json, &issuer.subject, &issuer.id)?;
    aws::run(async {
        let clients = arguments.aws.clients().await?;
        for client in &clients {
            report.begin(client.place())?;
            let work =
                place::Work { client, issuer: &issuer, entrance: &entrance, is_dry: arguments.dry_run };
            let result = work.run(policy.as_ref(), &mut report).await;
            report.end(result.map(|()| None), clients.len() == 1)?;
        }
        report.finish()
    })
}
