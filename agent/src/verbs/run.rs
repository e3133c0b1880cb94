//! `atecc-agent run`: a gateway with a certificate, from wherever that comes, until it is told to stop.

use std::pin::pin;

use atecc_agent::config::Config;
use atecc_agent::provision;
use atecc_agent::supervisor::{Agent, End};

use crate::cli::Run;
use crate::{Failure, LogFilter};

/// Runs until `shutdown`. When the key is to be replaced, the agent stops in good order and starts with the new one.
pub(crate) async fn run(
    typed: &Config,
    arguments: &Run,
    log_filter: &impl LogFilter,
    shutdown: impl Future<Output = ()>,
) -> Result<End, Failure> {
    let device = arguments.device.as_deref();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            provisioned = provisioned(typed, arguments) => provisioned?,
            () = &mut shutdown => return Ok(End::Stopped),
        }
        let identity = typed.open_identity(device)?;
        let mut config = typed.clone();
        provision::adopt_names(&mut config, &identity);
        let agent = Agent::new(config, &identity)?.log_filter(log_filter.clone());
        if arguments.once {
            return Ok(agent.once(shutdown).await.map(|()| End::Stopped)?);
        }
        let mut is_due = false;
        let stop = async {
            tokio::select! {
                () = &mut shutdown => {}
                () = provision::rotation_due(typed, device) => is_due = true,
            }
        };
        let end = agent.run(stop).await?;
        if !is_due {
            return Ok(end);
        }
    }
}

/// Who asked for one message is waiting, so there is one try.
async fn provisioned(config: &Config, arguments: &Run) -> Result<(), provision::Error> {
    let device = arguments.device.as_deref();
    if arguments.once && config.provision.is_some() {
        return provision::provision(config, device, false).await.map(drop);
    }
    provision::ensure(config, device).await
}
