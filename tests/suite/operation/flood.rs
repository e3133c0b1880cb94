//! The status port under fire: floods, dawdlers and garbage cost neither memory nor the connection to the cloud.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::daemon::{LIMIT, get, status, wait_for};
use super::{LINES, Stage};

/// What the process may grow by, whatever is done to its port.
const GROWTH: u64 = 4 << 20;

fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn descriptors(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

#[test]
fn floods_dawdlers_and_garbage_are_outlived() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    wait_for(&address, "delivery", |status| status["outbox"]["delivered"].as_u64().unwrap() > 0);
    let (memory, files) = (resident(daemon.id()), descriptors(daemon.id()));
    let before = status(&address);

    // A thousand that begin a request and never end it; who really asks is answered in between.
    let mut dawdlers = Vec::new();
    for number in 0..1_000 {
        let Ok(mut stream) = TcpStream::connect(&address) else { continue };
        let _ = stream.write_all(b"GET /status HTTP/1.1\r\nHost: loc");
        dawdlers.push(stream);
        if number % 100 == 99 {
            assert!(get(&address, "/status").0.starts_with("HTTP/1.1 200"));
            assert!(descriptors(daemon.id()) <= files + 20, "{} descriptors", descriptors(daemon.id()));
        }
    }
    // Most were sent away; the last ones are when their time is up.
    let end = Instant::now() + LIMIT;
    let mut last = dawdlers.pop().unwrap();
    last.set_read_timeout(Some(end - Instant::now())).unwrap();
    let start = Instant::now();
    let _ = last.read_to_end(&mut Vec::new());
    assert!(start.elapsed() < Duration::from_secs(20), "a dawdler was served for {:?}", start.elapsed());
    drop(dawdlers);

    // A flood of connections that say nothing, of headers without end, of bodies, and of what is no HTTP.
    for _ in 0..2_000 {
        drop(TcpStream::connect(&address));
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(100_000));
    let headers: String = (0..5_000).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let body = format!(
        "POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n{}",
        "x".repeat(1 << 20)
    );
    for text in [
        long.as_bytes(),
        many.as_bytes(),
        body.as_bytes(),
        &[0xff; 65_536],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        for _ in 0..50 {
            let Ok(mut stream) = TcpStream::connect(&address) else { continue };
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            let _ = stream.write_all(text);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        }
    }

    let grown = resident(daemon.id()).saturating_sub(memory);
    println!("{grown} bytes more of memory");
    assert!(grown < GROWTH, "{grown} bytes more of memory");
    // The link did not notice.
    let delivered = before["outbox"]["delivered"].as_u64().unwrap();
    let after =
        wait_for(&address, "delivery", |status| status["outbox"]["delivered"].as_u64().unwrap() > delivered);
    assert_eq!(after["connection"]["connections"], 1, "{after:#}");
    assert_eq!(after["connection"]["failures"], 0, "{after:#}");
    let end = Instant::now() + LIMIT;
    while descriptors(daemon.id()) > files + 2 {
        assert!(Instant::now() < end, "{} descriptors, before {files}", descriptors(daemon.id()));
        std::thread::sleep(Duration::from_millis(100));
    }
}
