//! `atecc-agent run`: the daemon in the eyes of the system: signals, systemd, a configuration that is read again.

mod setup;
mod signals;
mod systemd;

use std::pin::pin;
use std::time::Duration;

use atecc_agent::config::Config;
use atecc_agent::health::{Monitor, Server};
use atecc_agent::{provision, supervisor};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::cli::Run;
use crate::log::Filter;
use setup::{Change, Setup, Source};
pub(crate) use signals::shutdown_signal;
use signals::{Ask, Signals};
use systemd::Systemd;

/// How long reading the configuration again may take; a key in a chip may be asked for.
const RELOAD_LIMIT: Duration = Duration::from_secs(60);

/// Why one run of the agent ended.
enum End {
    Stopped,
    /// Something that cannot change under a living connection has changed.
    Changed(Box<Setup>),
    /// The key is to be replaced.
    KeyIsOld,
    /// A job wants the program to be started again.
    Restart,
}

pub(crate) fn run(arguments: Run, monitor: &Monitor, filter: &Filter) -> Result<supervisor::End, Failure> {
    let source = Source { file: arguments.config, device: arguments.device };
    let typed = source.load()?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    let result = runtime.block_on(async {
        let mut signals = Signals::new().map_err(Failure::runtime)?;
        if arguments.once {
            return once(&source, typed, &mut signals).await.map(|()| supervisor::End::Stopped);
        }
        let (monitor, filter) = (monitor.clone(), filter.clone());
        Service { source, monitor, filter, systemd: Systemd::new(), signals }.serve(typed).await
    });
    // A thread that still waits for a chip, to read the configuration again, is not waited for.
    runtime.shutdown_background();
    result
}

/// One message. Who asked for it is waiting, so there is one try of everything.
async fn once(source: &Source, typed: Config, signals: &mut Signals) -> Result<(), Failure> {
    if typed.provision.is_some() {
        tokio::select! {
            provisioned = provision::provision(&typed, source.device.as_deref(), false) => drop(provisioned?),
            () = signals.stop() => return Ok(()),
        }
    }
    Ok(source.open(typed, None)?.agent()?.once(signals.stop()).await?)
}

struct Service {
    source: Source,
    monitor: Monitor,
    filter: Filter,
    systemd: Systemd,
    signals: Signals,
}

impl Service {
    /// Runs agents, one after the other, until somebody says stop.
    async fn serve(mut self, typed: Config) -> Result<supervisor::End, Failure> {
        let mut server = Server::start(&typed.status, &self.monitor).map_err(Failure::configuration)?;
        tell_address(&server);
        let Some(mut setup) = self.provisioned(typed).await? else { return Ok(supervisor::End::Stopped) };
        let mut before: Option<Setup> = None;
        loop {
            self.monitor.describe(&setup.identity, &setup.config);
            match self.run(&mut setup, &mut server).await {
                Ok(End::Stopped) => return Ok(supervisor::End::Stopped),
                Ok(End::Restart) => return Ok(supervisor::End::Restart),
                Ok(End::KeyIsOld) => {
                    // What holds the old key must let go of it first.
                    let typed = setup.typed.clone();
                    drop((setup, before.take()));
                    let Some(new) = self.provisioned(typed).await? else {
                        return Ok(supervisor::End::Stopped);
                    };
                    setup = new;
                }
                Ok(End::Changed(new)) => {
                    self.change_server(&setup, &new, &mut server);
                    before = Some(std::mem::replace(&mut setup, *new));
                }
                // What was good enough to be read was not good enough to be run.
                Err(error) => match before.take() {
                    Some(old) if !self.systemd.is_ready() => {
                        tracing::error!("the new configuration cannot be used, the old one is back: {error}");
                        self.change_server(&setup, &old, &mut server);
                        setup = old;
                    }
                    _ => return Err(error.into()),
                },
            }
        }
    }

    /// The set-up with a certificate, which may have to be got first. `None`: somebody says stop.
    async fn provisioned(&mut self, typed: Config) -> Result<Option<Setup>, Failure> {
        if typed.provision.is_some() {
            self.systemd.provisioning();
            tokio::select! {
                provisioned = provision::ensure(&typed, self.source.device.as_deref()) => provisioned?,
                () = self.systemd.feed() => {}
                () = self.signals.stop() => {
                    self.systemd.stopping();
                    return Ok(None);
                }
            }
        }
        self.source.open(typed, None).map(Some)
    }

    /// Runs one agent, and reads the configuration again when it is asked to.
    async fn run(&mut self, setup: &mut Setup, server: &mut Server) -> Result<End, supervisor::Error> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tune, tuned) = tokio::sync::mpsc::unbounded_channel();
        let observers = (self.monitor.clone(), self.systemd.clone());
        let filter = self.filter.clone();
        let agent =
            setup.agent()?.log_filter(move |text| filter(text)).tuned(tuned).observer(move |report| {
                observers.0.report(&report);
                observers.1.report(&report);
            });
        self.systemd.starting();
        let mut running = pin!(agent.run(async { drop(stopped.await) }));
        let (typed, device) = (setup.typed.clone(), self.source.device.clone());
        let mut key_is_old = pin!(provision::rotation_due(&typed, device.as_deref()));
        let mut reading: Option<JoinHandle<Result<Setup, Failure>>> = None;
        let end = loop {
            tokio::select! {
                ended = &mut running => return ended.map(|end| match end {
                    supervisor::End::Stopped => End::Stopped,
                    supervisor::End::Restart => End::Restart,
                }),
                () = &mut key_is_old => break End::KeyIsOld,
                ask = self.signals.next() => match ask {
                    Ask::Stop => break End::Stopped,
                    Ask::Reload if reading.is_some() => tracing::info!("the configuration is being read already"),
                    Ask::Reload => {
                        self.systemd.reloading();
                        let (source, known) = (self.source.clone(), setup.clone());
                        reading = Some(tokio::task::spawn_blocking(move || source.open(source.load()?, Some(&known))));
                    }
                },
                read = finished(&mut reading) => {
                    reading = None;
                    match self.judge(read, setup) {
                        Some((Change::Live, new)) => {
                            self.change_server(setup, &new, server);
                            // The agent ends first only if it has failed, and then the other branch tells.
                            let _ = tune.send(new.config.clone());
                            *setup = new;
                        }
                        Some((Change::Link, new)) => break End::Changed(Box::new(new)),
                        Some((Change::None, _)) | None => {}
                    }
                    self.systemd.reloaded();
                }
            }
        };
        match &end {
            End::Stopped | End::Restart => self.systemd.stopping(),
            End::KeyIsOld => tracing::info!("the key is to be replaced"),
            End::Changed(_) => tracing::info!("the configuration has changed; connecting anew"),
        }
        drop(stop);
        running.await.map(|_| end)
    }

    /// What a configuration that was read again means. `None`: nothing, since it is bad.
    fn judge(&self, read: Result<Setup, Failure>, setup: &Setup) -> Option<(Change, Setup)> {
        match read {
            Err(failure) => {
                tracing::error!("the configuration stays as it was: {}", failure.message);
                None
            }
            Ok(new) => {
                let change = setup.change_to(&new);
                match change {
                    Change::None => tracing::info!("the configuration was read again, and is the same"),
                    Change::Live => {
                        tracing::info!("the configuration has changed; the connection stays");
                    }
                    Change::Link => {}
                }
                Some((change, new))
            }
        }
    }

    /// Moves the status to where it is to be asked for now.
    fn change_server(&self, old: &Setup, new: &Setup, server: &mut Server) {
        if old.config.status == new.config.status {
            return;
        }
        // Some of the old may be in the way of the new.
        *server = Server::none();
        match Server::start(&new.config.status, &self.monitor) {
            Ok(new) => *server = new,
            Err(error) => tracing::error!("the status cannot be asked for: {error}"),
        }
        tell_address(server);
    }
}

fn tell_address(server: &Server) {
    if let Some(address) = server.address() {
        tracing::info!("the status is at http://{address}/");
    }
}

/// Waits for what is being read; for ever if nothing is.
async fn finished(reading: &mut Option<JoinHandle<Result<Setup, Failure>>>) -> Result<Setup, Failure> {
    let Some(reading) = reading else { return std::future::pending().await };
    match tokio::time::timeout(RELOAD_LIMIT, reading).await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => Err(Failure::runtime(error)),
        Err(_) => Err(Failure::runtime(format!("it was not read within {RELOAD_LIMIT:?}"))),
    }
}
