//! `atecc-agent credentials`: temporary credentials for AWS, by SORACOM Krypton.

use std::io::Write;

use atecc_agent::config::{Claim, Config, Krypton, Way};
use atecc_agent::provision::{Error, krypton};

use crate::Failure;
use crate::cli::Credentials;

pub(crate) fn run(arguments: Credentials) -> Result<(), Failure> {
    let config = Config::load(&arguments.config).map_err(Failure::configuration)?;
    let settings = settings(&config).ok_or_else(|| {
        let file = arguments.config.display();
        Failure::configuration(format!("{file} has no [provision.krypton], which gives the credentials"))
    })?;
    let credentials = super::block_on(arguments.timeout, krypton::credentials(settings.clone()))?;
    let credentials = credentials.map_err(Error::from)?;
    writeln!(std::io::stdout(), "{}", credentials.to_json()).map_err(Failure::runtime)
}

fn settings(config: &Config) -> Option<&Krypton> {
    match &config.provision.as_ref()?.way {
        Way::Krypton(settings) => Some(settings),
        Way::Fleet(fleet) => match &fleet.claim {
            Claim::Krypton(settings) => Some(settings),
            _ => None,
        },
        _ => None,
    }
}
