//! `atecc-agent provision`: gets a certificate, and ends.

use std::io::Write;

use atecc_agent::config::Config;
use atecc_agent::provision;

use crate::Failure;
use crate::cli::Provision;

pub(crate) fn run(arguments: Provision) -> Result<(), Failure> {
    let config = Config::load(&arguments.config).map_err(Failure::configuration)?;
    let provisioned = provision::provision(&config, arguments.device.as_deref(), arguments.again);
    let record = super::block_on(arguments.timeout, provisioned)??;
    let thing = record.thing_name.as_deref().unwrap_or("a thing that the template does not name");
    // A closed stdout is nobody's problem.
    let _ = writeln!(std::io::stdout(), "provisioned as {thing}, certificate {}", record.certificate_id);
    Ok(())
}
