//! Inputs: watched by a thread each, so that a change is known when it happens.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::Line;
use super::node::Node;

/// How long the thread of an input that nobody wants any more may go on.
const LOOK: Duration = Duration::from_secs(1);
/// How long an input that cannot be read is left alone.
const PAUSE: Duration = Duration::from_secs(10);

/// What can be asked whether it is on.
pub(super) trait Level: Send + 'static {
    /// Waits for a change, for up to `limit`; may return without one.
    fn wait(&mut self, limit: Duration) -> io::Result<()>;

    /// Whether it is on now.
    fn is_on(&mut self) -> io::Result<bool>;
}

/// An input and its state as seen last.
#[derive(Debug)]
pub(super) struct Input {
    state: Arc<AtomicBool>,
    node: Option<Node>,
}

impl Input {
    /// Watches `level`, whose chip is at `node`, if its hardware can go. A change counts after it has lasted for
    /// `debounce`, and then `changed` is called.
    pub(super) fn watch(
        name: &str,
        mut level: impl Level,
        node: Option<Node>,
        debounce: Duration,
        changed: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let state = Arc::new(AtomicBool::new(level.is_on()?));
        let seen = Arc::downgrade(&state);
        let name = name.to_owned();
        thread::Builder::new().name("line".to_owned()).spawn(move || {
            let mut fails = false;
            while seen.strong_count() > 0 {
                match look(&mut level, debounce, || seen.upgrade().map(|state| state.load(Ordering::SeqCst)))
                {
                    Ok(on) => {
                        fails = false;
                        let Some(state) = seen.upgrade() else { return };
                        if state.swap(on, Ordering::SeqCst) != on {
                            changed();
                        }
                    }
                    Err(error) => {
                        if !fails {
                            tracing::warn!(
                                line = name,
                                "the line cannot be read: {error}; was its chip unplugged?"
                            );
                        }
                        fails = true;
                        thread::sleep(PAUSE);
                    }
                }
            }
        })?;
        Ok(Self { state, node })
    }
}

/// Waits for a while, and gives the state that counts then.
fn look(level: &mut impl Level, debounce: Duration, before: impl Fn() -> Option<bool>) -> io::Result<bool> {
    level.wait(LOOK)?;
    let on = level.is_on()?;
    if before() == Some(on) {
        return Ok(on);
    }
    thread::sleep(debounce);
    // Back where it was: it only bounced. Where it is now it has been for `debounce`, or will be looked at again.
    level.is_on()
}

impl Line for Input {
    fn set(&mut self, _on: bool) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "it is an input"))
    }

    fn is_on(&self) -> bool {
        self.state.load(Ordering::SeqCst)
    }

    fn is_there(&self) -> bool {
        self.node.as_ref().is_none_or(Node::is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Reads what is sent; a reading is taken once.
    struct Readings(mpsc::Receiver<bool>, bool);

    impl Level for Readings {
        fn wait(&mut self, _limit: Duration) -> io::Result<()> {
            Ok(())
        }

        fn is_on(&mut self) -> io::Result<bool> {
            self.1 = self.0.recv_timeout(Duration::from_millis(1)).unwrap_or(self.1);
            Ok(self.1)
        }
    }

    #[test]
    fn a_bounce_is_no_change_and_a_change_is_told_once() {
        let (send, readings) = mpsc::channel();
        let (told, changes) = mpsc::channel();
        send.send(false).unwrap();
        let changed = move || told.send(()).unwrap();
        let input =
            Input::watch("x", Readings(readings, false), None, Duration::from_millis(1), changed).unwrap();
        // On, and off again when the bounce is over.
        for level in [true, false, false] {
            send.send(level).unwrap();
        }
        assert!(changes.recv_timeout(Duration::from_millis(200)).is_err());
        send.send(true).unwrap();
        changes.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(input.is_on());
        assert!(changes.recv_timeout(Duration::from_millis(50)).is_err());
        drop(input);
        assert!(matches!(
            changes.recv_timeout(Duration::from_secs(10)),
            Err(mpsc::RecvTimeoutError::Disconnected)
        ));
    }
}
