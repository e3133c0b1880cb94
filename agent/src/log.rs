//! The log of the program: text or JSON on standard error, in the form that journald likes where that is who reads it.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;

use atecc_agent::health::{Monitor, Problems};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

use crate::Failure;
use crate::cli::LogFormat;

/// The environment variable with the log filter.
const FILTER_VARIABLE: &str = "ATECC_LOG";
/// Where systemd says which file the journal is, as `device:inode` (systemd.exec(5)).
const JOURNAL_VARIABLE: &str = "JOURNAL_STREAM";

/// What the journal takes for the priority of an error before a line (sd-daemon(3)).
pub(crate) const ERROR: &str = "<3>";

/// Changes what is logged; the error says why it cannot.
pub(crate) type Filter = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Starts the log. Warnings and errors go to `monitor` as well, whatever the filter says. Gives what changes that filter.
pub(crate) fn start(filter: Option<String>, form: LogFormat, monitor: &Monitor) -> Result<Filter, Failure> {
    let filter = filter.or_else(|| std::env::var(FILTER_VARIABLE).ok()).unwrap_or_else(|| "info".to_owned());
    let filter = targets(&filter).map_err(Failure::configuration)?;
    let (filter, handle) = reload::Layer::new(filter);
    let journal = is_journal();
    let lines = layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match (form, journal) {
        (LogFormat::Text, false) => lines.boxed(),
        // The journal notes the time itself.
        (LogFormat::Text, true) => lines.without_time().map_event_format(Prioritised).boxed(),
        (LogFormat::Json, false) => lines.json().flatten_event(true).boxed(),
        (LogFormat::Json, true) => lines.json().flatten_event(true).map_event_format(Prioritised).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(Problems::of(monitor).with_filter(LevelFilter::WARN))
        .init();
    Ok(Arc::new(move |filter| handle.reload(targets(filter)?).map_err(|error| error.to_string())))
}

/// A level for all, `target=level` for some. (`EnvFilter` would know spans as well, of which there are none here, and bring
/// regular expressions into the memory of a small gateway for them.)
fn targets(filter: &str) -> Result<Targets, String> {
    filter.parse().map_err(|error| format!("log filter {filter:?}: {error}"))
}

/// Whether standard error is the journal, and was not redirected since.
pub(crate) fn is_journal() -> bool {
    let Ok(journal) = std::env::var(JOURNAL_VARIABLE) else { return false };
    rustix::fs::fstat(std::io::stderr())
        .is_ok_and(|file| journal == format!("{}:{}", file.st_dev, file.st_ino))
}

/// Puts the priority before each line, as `<N>` with the numbers of syslog (sd-daemon(3)).
struct Prioritised<F>(F);

impl<S, N, F> FormatEvent<S, N> for Prioritised<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(context, writer, event)
    }
}
