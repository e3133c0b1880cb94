//! A clock that goes on when everybody waits for it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::super::clock::Clock;

/// All clones show the same time.
#[derive(Clone, Default)]
pub(super) struct Simulated(Rc<State>);

#[derive(Default)]
struct State {
    now: Cell<Duration>,
    /// Who waits until when. The number tells apart those who wait for the same moment.
    sleepers: RefCell<BTreeMap<(Duration, usize), Waker>>,
    slept: Cell<usize>,
}

impl Simulated {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Runs `work` to its end, or until `life` is over: then it is dropped wherever it is, as by a kill.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>, life: Duration) -> Option<T> {
        let state = &*self.0;
        state.sleepers.borrow_mut().clear();
        let death = state.now.get() + life;
        let mut work = pin!(work);
        let awake = Arc::new(Awake(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&awake));
        loop {
            while awake.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(value);
                }
            }
            let next = state.sleepers.borrow_mut().pop_first();
            let ((moment, _), sleeper) = next.expect("it waits for nothing, for ever");
            if moment > death {
                state.now.set(death);
                return None;
            }
            state.now.set(state.now.get().max(moment));
            sleeper.wake();
        }
    }
}

impl Clock for Simulated {
    fn now(&self) -> Duration {
        self.0.now.get()
    }

    async fn sleep_until(&self, moment: Duration) {
        let state = &*self.0;
        let number = state.slept.replace(state.slept.get() + 1);
        std::future::poll_fn(|context| {
            if state.now.get() >= moment {
                return Poll::Ready(());
            }
            state.sleepers.borrow_mut().insert((moment, number), context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Whether there is something to do.
struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
