//! Sees to it that no input hangs or panics, also in a thread of the parser's own.

use std::{
    panic::{self, AssertUnwindSafe},
    process,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longest time of one input. A parser needs microseconds, the slowest a few milliseconds; the rest is for a machine
/// with other work.
pub(super) const LIMIT: Duration = Duration::from_secs(3);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether any thread has panicked.
static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

/// What is being parsed at the moment.
struct Current {
    name: &'static str,
    number: u64,
    input: Vec<u8>,
    since: Instant,
}

/// A thread that looks at the clock while inputs are parsed.
pub(super) struct Watch(Arc<Mutex<Option<Current>>>);

impl Watch {
    pub(super) fn start() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let print = panic::take_hook();
            panic::set_hook(Box::new(move |information| {
                HAS_PANICKED.store(true, Ordering::SeqCst);
                print(information);
            }));
        });
        let current = Arc::new(Mutex::new(None));
        let watched = Arc::downgrade(&current);
        thread::spawn(move || {
            while let Some(current) = watched.upgrade() {
                if let Some(Current { name, number, input, since }) = &*lock(&current)
                    && since.elapsed() > LIMIT
                {
                    println!("{name}: input {number} takes longer than {LIMIT:?}: {}", hex(input));
                    process::exit(1);
                }
                drop(current);
                thread::sleep(PAUSE);
            }
        });
        Self(current)
    }

    /// Gives `input` to `parse` under observation: what it says, and how long it took.
    pub(super) fn run(
        &self,
        name: &'static str,
        number: u64,
        input: Vec<u8>,
        parse: impl FnOnce(&[u8]) -> Result<bool, String>,
    ) -> Result<(bool, Duration), String> {
        let since = Instant::now();
        *lock(&self.0) = Some(Current { name, number, input: input.clone(), since });
        let result = panic::catch_unwind(AssertUnwindSafe(|| parse(&input)));
        *lock(&self.0) = None;
        let problem = match result {
            _ if HAS_PANICKED.load(Ordering::SeqCst) => "panicked".into(),
            Ok(Ok(is_taken)) => return Ok((is_taken, since.elapsed())),
            Ok(Err(problem)) => problem,
            Err(_) => "panicked".into(),
        };
        Err(format!("{name}: input {number}, {}: {problem}", hex(&input)))
    }
}

fn lock(current: &Mutex<Option<Current>>) -> std::sync::MutexGuard<'_, Option<Current>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
