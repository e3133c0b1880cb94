//! Chips behind bridges: on a serial port that several processes share and that is pulled, and on a socket.

mod board;
mod kit;
mod programs;
mod refusal;
mod touch;

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use atecc::Slot;
use atecc_token::Token;
use board::Board;

use super::support::{Chip, Running, program, run, wait_for_socket};

fn sign_many(device: &str, count: u32, seed: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    command.args([device, &count.to_string(), &seed.to_string()]);
    command
}

/// Signatures and errors that a `sign-many` printed.
fn tally(text: &str) -> (usize, Vec<&str>) {
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    (text.lines().count() - errors.len(), errors)
}

#[test]
fn a_chip_on_a_serial_port_signs_and_says_that_it_is_emulated() {
    let board = Board::new();
    let info = run(Command::new(program("atecc")).args(["--device", &board.device(), "info"])).succeeded();
    assert!(
        info.text().contains("EMULATOR") && info.text().contains(&board.serial_number()),
        "{}",
        info.all()
    );
    let signed = run(&mut sign_many(&board.device(), 3, 1)).succeeded();
    assert_eq!(tally(&signed.text()), (3, vec![]));
    assert_eq!(board.rate(), 921_600);
    // Random, Nonce and Sign go as one request, of which the last answer comes back: 80 bytes, docs/link.md.
    let token = Token::open(&board.device().parse().unwrap()).unwrap();
    token.sign(Slot::PRIMARY_KEY, &[1; 32]).unwrap();
    let before = board.requests();
    token.sign(Slot::PRIMARY_KEY, &[2; 32]).unwrap();
    assert_eq!((board.requests() - before, board.last_answer()), (1, 80));
}

#[test]
fn four_processes_share_one_serial_port() {
    let board = Board::new();
    let device = board.device();
    let users: Vec<Running> = (0..4).map(|seed| Running::start(&mut sign_many(&device, 25, seed))).collect();
    for user in users {
        let finished = user.finish(Duration::from_secs(60)).succeeded();
        assert_eq!(tally(&finished.text()), (25, vec![]));
    }
}

/// A program that goes on signing whatever happens: its signatures and its errors, until it is told to stop.
fn persist(device: &str, is_over: &AtomicBool) -> (usize, Vec<String>) {
    let token = Token::open(&device.parse().unwrap()).unwrap();
    let (mut signatures, mut errors) = (0, Vec::new());
    while !is_over.load(Ordering::SeqCst) {
        match token.sign(Slot::PRIMARY_KEY, &[0x5a; 32]) {
            Ok(_) => signatures += 1,
            Err(error) => {
                errors.push(error.to_string());
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
    (signatures, errors)
}

/// Does `disturb` while two programs use `device`, and returns what became of them.
fn disturbed(device: &str, disturb: impl FnOnce()) -> [(usize, Vec<String>); 2] {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let users = [(); 2].map(|()| scope.spawn(|| persist(device, &is_over)));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(disturb));
        is_over.store(true, Ordering::SeqCst);
        let users = users.map(|user| user.join().unwrap());
        result.unwrap();
        users
    })
}

#[test]
fn the_cable_is_pulled_and_put_back_and_no_program_has_to_start_anew() {
    let mut board = Board::new();
    let device = board.device();
    let users = disturbed(&device, || {
        for pull in 0..50 {
            let before = board.requests();
            let deadline = Instant::now() + Duration::from_secs(30);
            // Somebody found it again, and uses it.
            while board.requests() < before + 8 {
                assert!(Instant::now() < deadline, "nobody came back after pull {pull}");
                thread::sleep(Duration::from_millis(2));
            }
            board.pull();
            thread::sleep(Duration::from_millis(20));
            board.put_back();
        }
    });
    for (signatures, errors) in users {
        assert!(signatures > 10, "{signatures} signatures, {errors:?}");
        for error in errors {
            let is_clear = error.contains("is the device plugged in?")
                || error.contains("the line to the bridge broke")
                || error.contains("no bridge answers")
                || error.contains("the bridge did not answer");
            assert!(is_clear, "{error}");
        }
    }
}

/// `atecc bridge serve` for `device`, on `socket`.
fn serve(device: &str, socket: &Path) -> Running {
    let mut command = Command::new(program("atecc"));
    command.args(["bridge", "serve", device, "--listen", &format!("unix:{}", socket.display())]);
    let server = Running::start(&mut command);
    wait_for_socket(socket);
    server
}

#[test]
fn a_bridge_serves_any_token_on_a_socket() {
    let chip = Chip::new();
    let socket = chip.path("bridge.sock");
    let device = format!("unix:{}", socket.display());
    let serve = || serve(&chip.device(), &socket);
    let server = serve();
    let info = run(Command::new(program("atecc")).args(["--device", &device, "info"])).succeeded();
    assert!(info.text().contains("EMULATOR"), "{}", info.all());
    let certificate = run(Command::new(program("atecc")).args(["--device", &device, "cert", "chain"]));
    let direct = std::fs::read_to_string(chip.path("chain.pem")).unwrap();
    assert_eq!(certificate.succeeded().text(), direct);

    // Its end is met with an error or nothing, its return with signatures.
    let mut server = Some(server);
    let users = disturbed(&device, || {
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(300));
            drop(server.take());
            thread::sleep(Duration::from_millis(50));
            server = Some(serve());
        }
        thread::sleep(Duration::from_millis(500));
    });
    for (signatures, errors) in users {
        assert!(signatures > 3, "{signatures}, {errors:?}");
        for error in errors {
            let is_clear =
                error.contains("atecc bridge serve") || error.contains("the line to the bridge broke");
            assert!(is_clear, "{error}");
        }
    }
}

#[test]
fn a_socket_or_port_without_a_bridge_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("unix:{}", folder.path().join("none.sock").display());
    let refused = run(Command::new(program("atecc")).args(["--device", &missing, "info"])).failed_with(1);
    assert!(refused.stderr.contains("atecc bridge serve DEVICE --listen"), "{}", refused.stderr);
    let refused =
        run(Command::new(program("atecc")).args(["--device", "serial:/dev/ttyNONE", "info"])).failed_with(1);
    assert!(refused.stderr.contains("plugged in"), "{}", refused.stderr);
    for (device, finding) in [
        (missing.as_str(), "atecc bridge serve DEVICE --listen"),
        ("serial:/dev/ttyNONE", "plug the device in"),
    ] {
        let report = run(Command::new(program("atecc")).args(["--device", device, "doctor"])).failed_with(1);
        assert!(report.text().contains(finding), "{}", report.all());
    }
    // A terminal with nobody behind it.
    let (_silent, line) = serial2::SerialPort::pair().unwrap();
    let device = format!("serial:{}", board::name(&line));
    let start = Instant::now();
    let refused = run(Command::new(program("atecc")).args(["--device", &device, "info"])).failed_with(1);
    assert!(refused.stderr.contains("no bridge answers"), "{}", refused.stderr);
    assert!(start.elapsed() < Duration::from_secs(10));
}
