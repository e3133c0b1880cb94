//! Who subscribed at a real broker, with a session that outlives its restarts, and writes down what comes.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttc::{Packet, PubAck};

use super::wire::Wire;
use super::{Result, stage};

/// What it has seen so far.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Payloads, each with whether the broker marked it as one that it had sent to the recorder before.
    messages: Mutex<Vec<(String, bool)>>,
    count: AtomicUsize,
    subscribed: AtomicBool,
}

impl Recorder {
    /// Starts to record; returns when it is subscribed. The thread ends with the process.
    pub(crate) fn start(port: u16) -> Result<Arc<Self>> {
        let recorder = Arc::new(Self::default());
        let ours = recorder.clone();
        thread::spawn(move || {
            loop {
                // It breaks with each restart of the broker.
                let _ = ours.record(port);
                thread::sleep(Duration::from_millis(20));
            }
        });
        stage::wait("the recorder subscribes", || recorder.subscribed.load(Ordering::SeqCst))?;
        Ok(recorder)
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn messages(&self) -> Vec<(String, bool)> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what it has seen.
    pub(crate) fn clear(&self) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.clear();
        self.count.store(0, Ordering::SeqCst);
    }

    fn record(&self, port: u16) -> std::io::Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut wire = Wire::new(stream);
        wire.connect("recorder", false)?;
        if !self.subscribed.load(Ordering::SeqCst) {
            wire.subscribe("out/#")?;
            self.subscribed.store(true, Ordering::SeqCst);
        }
        loop {
            wire.receive()?;
            let mut ids = Vec::new();
            {
                let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
                while let Some(packet) = wire.ready()? {
                    let Packet::Publish(publish) = packet else { continue };
                    messages.push((String::from_utf8_lossy(&publish.payload).into_owned(), publish.dup));
                    ids.push(publish.pkid);
                }
                self.count.store(messages.len(), Ordering::SeqCst);
            }
            for id in ids {
                wire.put(&Packet::PubAck(PubAck::new(id)))?;
            }
            wire.flush()?;
        }
    }
}
