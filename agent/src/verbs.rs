//! One file for each verb that is more than a call of the library.

pub(crate) mod check;
pub(crate) mod credentials;
pub(crate) mod man;
pub(crate) mod provision;
pub(crate) mod publish;
pub(crate) mod subscribe;
pub(crate) mod tunnel;

use std::time::Duration;

use crate::Failure;

/// Runs `work` on this thread, for at most `seconds`; 0: without limit.
fn block_on<T>(seconds: u64, work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    runtime.block_on(async {
        match seconds {
            0 => Ok(work.await),
            seconds => tokio::time::timeout(Duration::from_secs(seconds), work)
                .await
                .map_err(|_| Failure::runtime(format!("not done within {seconds} s; --timeout allows more"))),
        }
    })
}
