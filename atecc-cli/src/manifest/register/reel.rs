//! All chips of a manifest, as fast as the quota lets and no faster.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::{
    super::chip::Chip,
    api::Api,
    clock::Clock,
    journal::{Journal, JournalError},
    registrar::{Failure, Outcome, Registrar},
    registry::Registry,
};

/// So many chips are worked on at once. At the default quota some ten are enough; with ten times that, each call may
/// take more than a second before this is what limits.
const AT_ONCE: usize = 512;
/// So long before its first call is due a chip is taken from the manifest.
const LEAD: Duration = Duration::from_millis(500);
/// How often the user is heard and shown how far it is.
const TICK: Duration = Duration::from_millis(200);
/// If so many fail and none between them does not, there is a reason that is none of the chips'.
const FAILURES_IN_A_ROW: u32 = 100;

/// What happens to the entries.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A run before this one saw to it that everything is in place.
    Before,
    Done(Outcome),
    Failed(&'a Chip, &'a str),
    /// Time has passed.
    Tick,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All chips were seen to.
    Complete,
    /// The user wanted it.
    Interrupted,
    /// Nothing more could be done, and why.
    GaveUp(String),
}

/// Registers what comes from `chips` and tells `tell` of it, until no more come, or it says to stop, or nothing can be
/// done any more.
///
/// # Errors
/// When the journal cannot be kept: what is done would be forgotten.
pub(super) async fn run<R: Registry, C: Clock>(
    registrar: &Registrar<R, C>,
    mut chips: mpsc::Receiver<Chip>,
    journal: &mut Journal,
    mut tell: impl FnMut(Event<'_>) -> Wish,
) -> Result<End, JournalError> {
    let (clock, first_call) = (registrar.clock(), registrar.quotas().of(Api::RegisterCertificateWithoutCa));
    let mut at_work = FuturesUnordered::new();
    let (mut more, mut failures, mut end) = (true, 0, End::Complete);
    let mut next_tick = clock.now();
    while more || !at_work.is_empty() {
        let next_chip = async {
            clock.sleep_until(first_call.next().saturating_sub(LEAD)).await;
            chips.recv().await
        };
        tokio::select! {
            Some((chip, result)) = at_work.next() => match result {
                Ok(outcome) => {
                    failures = 0;
                    journal.add(&chip, outcome)?;
                    tell(Event::Done(outcome));
                }
                Err(Failure::Chip(why)) => {
                    failures += 1;
                    tell(Event::Failed(&chip, &why));
                    if failures == FAILURES_IN_A_ROW && end == End::Complete {
                        end = End::GaveUp(format!("{failures} chips failed in a row, the last one so: {why}"));
                    }
                }
                Err(Failure::Run(why)) if end == End::Complete => end = End::GaveUp(why),
                Err(Failure::Run(_) | Failure::Stopped) => {}
            },
            chip = next_chip, if more && at_work.len() < AT_ONCE => match chip {
                Some(chip) if journal.is_done(chip.entry) => {
                    tell(Event::Before);
                }
                Some(chip) => {
                    // Now, and not when it is first looked after: the next chip comes behind it.
                    let turn = first_call.reserve(clock.now());
                    at_work.push(async move {
                        let result = registrar.register(&chip, turn).await;
                        (chip, result)
                    });
                }
                None => more = false,
            },
            () = clock.sleep_until(next_tick) => {
                next_tick = clock.now() + TICK;
                if tell(Event::Tick) == Wish::Stop && end == End::Complete {
                    end = End::Interrupted;
                }
            }
        }
        if end != End::Complete {
            // What is under way comes to the end of its call.
            registrar.stop().request();
            more = false;
        }
    }
    journal.sync()?;
    Ok(end)
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    GoOn,
    Stop,
}
