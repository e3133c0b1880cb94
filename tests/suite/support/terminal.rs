//! A pseudo-terminal with a program in it, as a user sits before one.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// How long the program may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program in a terminal of its own. It is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen was waited for.
    seen: usize,
    process: Child,
}

impl Terminal {
    /// Starts `command` in a terminal: its three streams and its signals.
    pub(crate) fn start(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();

        // A session of its own, with this terminal as its own: where Ctrl-C goes.
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args()).env("TERM", "xterm");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        let stream = || Stdio::from(terminal.try_clone().unwrap());
        let process = session.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        drop(terminal);

        let keyboard = File::from(master);
        let screen = Arc::default();
        let (mut input, shown) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The terminal of a process that has ended gives an error.
            while let Ok(length @ 1..) = input.read(&mut bytes) {
                let shown: &Mutex<Vec<u8>> = &shown;
                shown.lock().unwrap().extend_from_slice(&bytes[..length]);
            }
        });
        Self { keyboard, screen, seen: 0, process }
    }

    /// Presses these keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` stands on the screen behind what was waited for before, and gives what came up to it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.shown();
            if let Some(position) = shown[self.seen..].find(text) {
                let end = self.seen + position + text.len();
                let passed = shown[self.seen..end].to_owned();
                self.seen = end;
                return passed;
            }
            assert!(
                Instant::now() < deadline,
                "{text:?} did not come:\n{}\n--- behind\n{}",
                &shown[..self.seen],
                &shown[self.seen..]
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end of the program, and gives what it left behind.
    #[track_caller]
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                thread::sleep(Duration::from_millis(50));
                return (status, self.shown()[self.seen..].to_owned());
            }
            assert!(Instant::now() < deadline, "the program goes on:\n{}", self.shown());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that was shown, without the sequences that move the cursor and colour the text.
    fn shown(&self) -> String {
        let bytes = self.screen.lock().unwrap().clone();
        let mut text = String::new();
        let mut chars = String::from_utf8_lossy(&bytes).into_owned();
        while let Some(start) = chars.find("\x1b[") {
            text.push_str(&chars[..start]);
            let rest = &chars[start + 2..];
            // A sequence ends with its first letter; one that is cut is not shown yet.
            let Some(end) = rest.find(|letter: char| ('@'..='~').contains(&letter)) else { return text };
            chars = rest[end + 1..].to_owned();
        }
        text + &chars
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
