//! The stage: an emulated chip, an emulated cloud that knows it, and the real agent on a thread of its own.

use std::error::Error;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use atecc_agent::config::Config;
use atecc_agent::gpio::SimulatedLine;
use atecc_agent::mqtt::Reconnect;
use atecc_agent::supervisor::{self, Agent, End, Report};
use atecc_emulator::{Eeprom, EepromFile, provision};
use atecc_token::{DeviceSpec, Token};
use identity::Identity;
use iot_core_emulator::{CertificateId, IotCore, Listener, Options, Status};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) type Anything<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long the agent may take to end when it is told to.
const END_LIMIT: Duration = Duration::from_secs(10);

/// The chip and the cloud.
pub(crate) struct Stage {
    pub(crate) cloud: IotCore,
    pub(crate) token: Arc<Token>,
    /// The chip as the agent shows it.
    pub(crate) identity: Identity,
    /// The thing's name, which is in the certificate.
    pub(crate) thing: String,
    pub(crate) certificate: CertificateId,
    /// Where its files are.
    pub(crate) folder: TempDir,
}

impl Stage {
    /// A new chip as the factory would sell it, and a cloud that has never heard of it.
    pub(crate) fn new() -> Anything<Self> {
        Self::with_chip(&provision::tng_tls()?)
    }

    /// The same with this chip.
    pub(crate) fn with_chip(memory: &Eeprom) -> Anything<Self> {
        let folder = tempfile::tempdir()?;
        let eeprom = folder.path().join("chip.eeprom");
        EepromFile::create(&eeprom, memory)?;
        let spec: DeviceSpec = format!("emulator:{}", eeprom.display()).parse()?;
        let token = Arc::new(Token::open(&spec)?);
        let cloud = IotCore::start(Options::default())?;
        std::fs::write(folder.path().join("ca.pem"), cloud.root_certificate_pem())?;
        let certificate = CertificateId::of(&token.certificates()?.device);
        let identity = Identity::of_token(&token, None)?;
        let thing = identity.thing_name().ok_or("the certificate names no thing")?;
        Ok(Self { cloud, token, identity, thing, certificate, folder })
    }

    /// What an owner does once per device: certificate, thing and a policy that lets a device be itself only.
    pub(crate) fn register(&self) -> Anything<()> {
        let registry = self.cloud.registry();
        registry.register_certificate(&self.token.certificates()?.device, Status::Active)?;
        registry.create_thing(&self.thing, &[])?;
        registry.create_policy("gateway", POLICY)?;
        registry.attach_policy("gateway", &self.certificate)?;
        registry.attach_thing(&self.thing, &self.certificate)?;
        Ok(())
    }

    /// The agent's configuration for one of the cloud's listeners, read from text as the program reads it.
    /// Then made quick, since here nobody wants to wait for a minute.
    pub(crate) fn config(&self, listener: Listener) -> Anything<Config> {
        self.config_with(listener, "")
    }

    /// The same with `lines` of text added.
    pub(crate) fn config_with(&self, listener: Listener, lines: &str) -> Anything<Config> {
        let (port, address) = match listener {
            Listener::Mqtt => (8883, self.cloud.mqtt_address()),
            Listener::Alpn => (443, self.cloud.alpn_address()),
        };
        let text = format!(
            "endpoint = \"{}\"\nport = {port}\naddress = \"{address}\"\nca_file = \"ca.pem\"\n{lines}",
            self.cloud.endpoint()
        );
        let mut config = Config::parse(&text, &self.folder.path().join("agent.toml"))?;
        config.telemetry.interval = Duration::from_millis(500);
        config.outbox.folder = Some(self.folder.path().join("outbox"));
        config.reconnect = Reconnect { first: Duration::from_millis(200), longest: Duration::from_secs(2) };
        Ok(config)
    }
}

/// A thing may connect under its own name, use the topics below it, and its own shadow.
const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:emulator-1:000000000000:client/${iot:Connection.Thing.ThingName}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
      "arn:aws:iot:emulator-1:000000000000:topic/${iot:Connection.Thing.ThingName}/*",
      "arn:aws:iot:emulator-1:000000000000:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
      "arn:aws:iot:emulator-1:000000000000:topicfilter/${iot:Connection.Thing.ThingName}/*",
      "arn:aws:iot:emulator-1:000000000000:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]}
  ]
}"#;

/// A running agent, and what it has told so far.
pub(crate) struct Running {
    pub(crate) led: SimulatedLine,
    reports: mpsc::Receiver<Report>,
    told: Vec<Report>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<End, supervisor::Error>>>,
}

impl Running {
    /// Starts `agent` as the program does: its own runtime on its own thread, ended by a future.
    pub(crate) fn start(agent: Agent) -> Anything<Self> {
        let led = SimulatedLine::default();
        let (sender, reports) = mpsc::channel();
        let agent = agent.line("led", led.clone()).observer(move |report| drop(sender.send(report)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || runtime.block_on(agent.run(async { drop(stopped.await) })));
        Ok(Self { led, reports, told: Vec::new(), stop: Some(stop), thread: Some(thread) })
    }

    /// A place in what the agent tells: everything before has happened already.
    pub(crate) fn now(&mut self) -> usize {
        self.told.extend(self.reports.try_iter());
        self.told.len()
    }

    /// Waits for something that the agent tells after `place`.
    pub(crate) fn wait_for<T>(
        &mut self,
        place: usize,
        limit: Duration,
        what: &str,
        mut fits: impl FnMut(&Report) -> Option<T>,
    ) -> Anything<T> {
        let end = Instant::now() + limit;
        let mut next = place;
        loop {
            while let Some(report) = self.told.get(next) {
                if let Some(found) = fits(report) {
                    return Ok(found);
                }
                next += 1;
            }
            match self.reports.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(report) => self.told.push(report),
                Err(_) => {
                    let happened = |report: &&Report| !matches!(report, Report::Pulse(_));
                    let last = match self.told.iter().rev().find(happened) {
                        Some(Report::Disconnected { reason, .. }) => reason.to_string(),
                        Some(report) => format!("{report:?}"),
                        None => "nothing".to_owned(),
                    };
                    return Err(format!(
                        "the agent did not tell of {what} within {limit:?}; the last it told was: {last}"
                    )
                    .into());
                }
            }
        }
    }

    /// Tells the agent to stop, as SIGTERM does, and waits until it has.
    pub(crate) fn stop(&mut self) -> Anything<()> {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let end = Instant::now() + END_LIMIT;
        while !thread.is_finished() {
            if Instant::now() > end {
                return Err(format!("the agent did not stop within {END_LIMIT:?}").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = thread.join().map_err(|_| "the agent panicked")??;
        Ok(())
    }
}
