//! What hostile programs do.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{Packet, QoS, Subscribe, SubscribeFilter};

use crate::random::Random;
use crate::wire::Wire;

/// One kind of attack.
#[derive(Clone, Copy)]
pub(crate) enum Attack {
    /// On the Unix socket.
    Socket(fn(&Path, Instant) -> usize),
    /// On the loopback port.
    Port(fn(u16, Instant) -> usize),
    /// On the port of the status.
    Status(fn(u16, Instant) -> usize),
}

/// Where the agent listens.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) socket: PathBuf,
    pub(crate) port: u16,
    pub(crate) status: u16,
}

impl Attack {
    /// Attacks until `end`. Gives how often it did something.
    pub(crate) fn run(self, doors: &Doors, end: Instant) -> usize {
        match self {
            Self::Socket(act) => act(&doors.socket, end),
            Self::Port(act) => act(doors.port, end),
            Self::Status(act) => act(doors.status, end),
        }
    }
}

/// All of them, with what the figure counts.
pub(crate) const ATTACKS: [(&str, Attack); 11] = [
    ("connections that say nothing, 200 at once", Attack::Socket(silence)),
    ("connections that say a byte every now and then", Attack::Socket(slow_loris)),
    ("connections with garbage", Attack::Socket(garbage)),
    ("garbage after a CONNECT", Attack::Socket(garbage_inside)),
    ("clients that come and go, each with sessions and filters", Attack::Socket(sessions)),
    ("packets that are huge, and never whole", Attack::Socket(huge)),
    ("messages retained, topics, subscriptions, 100,000 wanted", Attack::Socket(topics)),
    ("subscribers that do not read", Attack::Socket(deaf)),
    ("clients that say CONNECT and nothing more, 200 at once", Attack::Socket(idle)),
    ("the same on the loopback port", Attack::Port(idle_on_port)),
    ("visits to the status that are never whole", Attack::Status(visits)),
];

/// Connections at once.
const MANY: usize = 200;

fn silence(socket: &Path, end: Instant) -> usize {
    let (mut open, mut count) = (VecDeque::new(), 0);
    while Instant::now() < end {
        match UnixStream::connect(socket) {
            Ok(stream) => {
                open.push_back(stream);
                count += 1;
            }
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
        if open.len() > MANY {
            open.pop_front();
        }
        // Not to take the processor from those who behave: it is shared with them here.
        thread::sleep(Duration::from_micros(500));
    }
    count
}

fn slow_loris(socket: &Path, end: Instant) -> usize {
    // A CONNECT that announces more than ever comes.
    let text = [&[0x10, 0xFF, 0x7F][..], b"\0\x04MQTT\x04\x02\0\x3c\0\x7f", &[b'x'; 100]].concat();
    let (mut open, mut count): (Vec<(UnixStream, usize)>, usize) = (Vec::new(), 0);
    while Instant::now() < end {
        if open.len() < MANY
            && let Ok(stream) = UnixStream::connect(socket)
        {
            open.push((stream, 0));
        }
        open.retain_mut(|(stream, place)| {
            let sent = stream.write_all(&text[*place % text.len()..][..1]).is_ok();
            (*place, count) = (*place + 1, count + 1);
            sent
        });
        thread::sleep(Duration::from_millis(2));
    }
    count
}

fn garbage(socket: &Path, end: Instant) -> usize {
    let (mut random, mut count) = (Random::new(7), 0);
    while Instant::now() < end {
        if let Ok(mut stream) = UnixStream::connect(socket) {
            let bytes: Vec<u8> = (0..random.below(5000)).map(|_| random.next().to_le_bytes()[0]).collect();
            // It is cut in the middle.
            let _ = stream.write_all(&bytes);
            count += 1;
        }
        thread::sleep(Duration::from_micros(500));
    }
    count
}

fn garbage_inside(socket: &Path, end: Instant) -> usize {
    let (mut random, mut count) = (Random::new(8), 0);
    while Instant::now() < end {
        if let Some((_, mut stream)) = client(socket, "garbage") {
            for _ in 0..20 {
                // Some of it begins as a packet does.
                let mut bytes = vec![random.next().to_le_bytes()[0], random.next().to_le_bytes()[1] & 0x7F];
                bytes.extend((0..random.below(200)).map(|_| random.next().to_le_bytes()[0]));
                if stream.write_all(&bytes).is_err() {
                    break;
                }
            }
            count += 1;
        }
        thread::sleep(Duration::from_micros(500));
    }
    count
}

fn sessions(socket: &Path, end: Instant) -> usize {
    let mut count = 0;
    while Instant::now() < end {
        let Ok(stream) = UnixStream::connect(socket) else { continue };
        // It may not let in one more.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let mut wire = Wire::new(stream);
        if wire.connect(&format!("{count:0>100}"), false).is_ok() {
            let _ = subscribe(&mut wire, count * 8, 8);
            let _ = wire.next();
            count += 1;
        }
    }
    count
}

fn huge(socket: &Path, end: Instant) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    while Instant::now() < end {
        if let Some((_, mut stream)) = client(socket, &format!("huge-{count}")) {
            // 256 MiB are announced, or 190 KB of which the last never come.
            let header =
                if count % 4 == 0 { [0x32, 0xFF, 0xFF, 0xFF, 0x7F] } else { [0x32, 0xB0, 0xCC, 0x0B, 0] };
            let _ = stream.set_write_timeout(Some(Duration::from_millis(200)));
            let _ = stream.write_all(&header).and_then(|()| stream.write_all(&vec![0; 180_000]));
            open.push(stream);
            count += 1;
        }
        if open.len() > MANY {
            open.clear();
        }
        thread::sleep(Duration::from_millis(20));
    }
    count
}

fn topics(socket: &Path, end: Instant) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    while Instant::now() < end && count < 100_000 {
        let Some((mut wire, stream)) = client(socket, &format!("topics-{}", open.len())) else {
            open.clear();
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
        for _ in 0..25 {
            let wanted = subscribe(&mut wire, count, 8).and_then(|()| {
                let mut publish =
                    rumqttc::Publish::new(format!("flood/{count}"), QoS::AtMostOnce, vec![b'x'; 200]);
                publish.retain = true;
                wire.put(&Packet::Publish(publish))?;
                wire.flush()?;
                wire.receive()
            });
            count += 8;
            if wanted.is_err() || Instant::now() >= end {
                break;
            }
        }
        open.push((wire, stream));
    }
    count
}

fn deaf(socket: &Path, end: Instant) -> usize {
    let mut open = Vec::new();
    while Instant::now() < end {
        if let Some((mut wire, stream)) = client(socket, &format!("deaf-{}", open.len())) {
            let _ = wire.subscribe("out/#");
            open.push((wire, stream));
        }
        thread::sleep(Duration::from_millis(20));
    }
    open.len()
}

fn idle(socket: &Path, end: Instant) -> usize {
    idle_by(|| UnixStream::connect(socket), end)
}

fn idle_on_port(port: u16, end: Instant) -> usize {
    idle_by(|| TcpStream::connect(("127.0.0.1", port)), end)
}

fn idle_by<S: Read + Write>(connect: impl Fn() -> io::Result<S>, end: Instant) -> usize {
    let (mut open, mut count) = (VecDeque::new(), 0);
    while Instant::now() < end {
        if let Ok(stream) = connect() {
            let mut wire = Wire::new(stream);
            let mut connect = rumqttc::Connect::new(format!("idle-{count}"));
            connect.keep_alive = 0;
            // It does not wait for the answer.
            if wire.put(&Packet::Connect(connect)).and_then(|()| wire.flush()).is_ok() {
                open.push_back(wire);
                count += 1;
            }
        }
        if open.len() > MANY {
            open.pop_front();
        }
        thread::sleep(Duration::from_millis(2));
    }
    count
}

fn visits(port: u16, end: Instant) -> usize {
    let (mut open, mut count) = (VecDeque::new(), 0);
    while Instant::now() < end {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            // The oldest are cut.
            let _ = stream.write_all(b"GET /status HTTP/1.1\r\nHost: loc");
            open.push_back(stream);
            count += 1;
        }
        if open.len() > MANY {
            open.pop_front();
        }
        thread::sleep(Duration::from_millis(1));
    }
    count
}

/// A client that has said CONNECT and was let in.
fn client(socket: &Path, id: &str) -> Option<(Wire<UnixStream>, UnixStream)> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let other = stream.try_clone().ok()?;
    let mut wire = Wire::new(stream);
    wire.connect(id, true).ok()?;
    Some((wire, other))
}

/// Asks for `count` long filters, numbered from `first`, and does not wait for the answer.
fn subscribe(wire: &mut Wire<UnixStream>, first: usize, count: usize) -> std::io::Result<()> {
    let filter = |number| SubscribeFilter::new(format!("flood/{number:0>200}/+/#"), QoS::AtLeastOnce);
    let mut subscribe = Subscribe::new_many((first..first + count).map(filter));
    subscribe.pkid = 1;
    wire.put(&Packet::Subscribe(subscribe))?;
    wire.flush()
}
