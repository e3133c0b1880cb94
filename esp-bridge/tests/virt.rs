//! The firmware's library on an emulated RISC-V processor, between a host and an emulated chip. `./build virt` builds the
//! machine's program and runs this.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    env,
    fs::OpenOptions,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use atecc::{
    Device, Slot, Transport,
    link::{Client, Error as LinkError, Fault, Stream},
    packet::Packet,
    transport::Responses,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision::Personality};
use embedded_hal::i2c::I2c;

struct Line(UnixStream, Instant);

impl Stream for Line {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match Read::read(&mut self.0, buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        Write::write_all(&mut self.0, bytes)
    }

    fn now(&mut self) -> Duration {
        self.1.elapsed()
    }
}

/// Ends with the test, whatever becomes of it.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Puts an emulated chip behind the pipes; the thread ends with the process.
fn serve_bus(folder: &Path) {
    let open = |name| OpenOptions::new().read(true).write(true).open(folder.join(name)).unwrap();
    let (mut asks, mut answers) = (open("i2c.asks"), open("i2c.answers"));
    thread::spawn(move || {
        let clock = Clock::real();
        let chip = Chip::new(Personality::TngTls3.make().unwrap(), Pace::Typical);
        let mut bus = Bus::new(chip, clock, Bus::STANDARD_HERTZ);
        loop {
            let mut head = [0; 3];
            asks.read_exact(&mut head).unwrap();
            let [direction, address, length] = head;
            let mut bytes = vec![0; length.into()];
            let answer = if direction == 0 {
                asks.read_exact(&mut bytes).unwrap();
                bus.write(address, &bytes).map(|()| Vec::new())
            } else {
                bus.read(address, &mut bytes).map(|()| bytes)
            };
            let answer = answer.map_or_else(|_| vec![1], |bytes| [vec![0], bytes].concat());
            answers.write_all(&answer).unwrap();
        }
    });
}

#[test]
fn the_library_runs_on_the_processor_and_answers_a_host() {
    let program = env::var_os("ESP_BRIDGE_VIRT").unwrap_or_else(|| panic!("run ./build virt"));
    let folder = env::temp_dir().join(format!("esp-bridge-virt-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pipes = ["i2c.asks", "i2c.answers"].map(|name| folder.join(name));
    assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
    serve_bus(&folder);

    let machine = Command::new("qemu-system-riscv32")
        .args(["-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none"])
        .args([
            "-semihosting-config",
            "enable=on,target=native",
            "-serial",
            "unix:uart,server=on,wait=on",
            "-kernel",
        ])
        .arg(program)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let _machine = Machine(machine);
    let start = Instant::now();
    let port = loop {
        match UnixStream::connect(folder.join("uart")) {
            Ok(port) => break port,
            Err(_) if start.elapsed() < Duration::from_secs(20) => thread::sleep(Duration::from_millis(50)),
            Err(error) => panic!("QEMU opens no port: {error}"),
        }
    };

    let mut client = Client::new(Line(port, Instant::now()), 7);
    assert_eq!(client.hello().unwrap().name, "esp-bridge virt");
    let mut host = Device::new(client);
    // The first look for the chip takes a moment.
    let key = loop {
        match host.public_key(Slot::PRIMARY_KEY) {
            Ok(key) => break key,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
        }
    };
    for digest in [[0x11; 32], [0x22; 32]] {
        assert!(key.verify(&digest, &host.sign(Slot::PRIMARY_KEY, &digest).unwrap()));
    }
    let lock = host.transport_mut().transact(&[Packet::new(0x17, 0xa2, 0, &[], 1)], &mut Responses::new());
    assert!(matches!(lock, Err(LinkError::Fault(Fault::Refused { opcode: 0x17 }))), "{lock:?}");
    drop(host);
    std::fs::remove_dir_all(&folder).unwrap();
}
