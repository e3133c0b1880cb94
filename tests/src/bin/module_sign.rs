//! Signs digests through the PKCS#11 module, as a program of its own.
//!
//! `module-sign MODULE THREADS COUNT SEED` loads the module, opens a session and finds the key in each thread, prints
//! `ready` and reads a line. Then each thread signs COUNT digests of its own. What comes out, line by line: a digest
//! and its signature in hexadecimal, and at last `took` and the microseconds from C_Initialize to `ready` and from
//! the line to the end of the last signature.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Barrier,
    thread,
    time::Instant,
};

use clap::Parser;
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, ObjectClass, ObjectHandle},
    session::Session,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A digest and the 64 bytes of its signature.
type Signed = ([u8; 32], Vec<u8>);

/// Signs digests through the PKCS#11 module: finds the key in each thread, prints `ready`, reads a line, and signs.
#[derive(Debug, Parser)]
#[command(name = "module-sign")]
struct Arguments {
    /// The module.
    module: PathBuf,
    /// Threads at the same time.
    threads: usize,
    /// Digests of each.
    count: u32,
    /// Another one gives other digests.
    seed: u32,
}

fn main() -> ExitCode {
    let Arguments { module, threads, count, seed } = Arguments::parse();
    match sign(&module, threads, count, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("module-sign: {error}");
            ExitCode::FAILURE
        }
    }
}

fn sign(module: &Path, threads: usize, count: u32, seed: u32) -> Result<()> {
    let module = Pkcs11::new(module)?;
    let start = Instant::now();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    // All threads, and the one that reads the line.
    let (ready, go) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    let (opened, signed, signatures) = thread::scope(|scope| {
        let signers: Vec<_> = (0..threads)
            .map(|thread| {
                let (module, ready, go) = (&module, &ready, &go);
                scope.spawn(move || -> Result<Vec<Signed>> {
                    let key = open(module);
                    ready.wait();
                    go.wait();
                    let (session, key) = key?;
                    digests(count, seed, thread).map(|digest| sign_one(&session, key, digest)).collect()
                })
            })
            .collect();
        ready.wait();
        let opened = start.elapsed();
        // Whoever started this program may have closed its ends.
        let _ = writeln!(io::stdout(), "ready");
        let _ = io::stdin().lock().read_line(&mut String::new());
        let start = Instant::now();
        go.wait();
        let signatures: Vec<_> = signers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        (opened, start.elapsed(), signatures)
    });
    module.finalize()?;
    let mut output = io::stdout().lock();
    for signatures in signatures {
        for (digest, signature) in signatures.map_err(|_| "a thread panicked")?? {
            writeln!(output, "{} {}", hex(&digest), hex(&signature))?;
        }
    }
    writeln!(output, "took {} {}", opened.as_micros(), signed.as_micros())?;
    Ok(())
}

/// A session with the first token, and its private key.
fn open(module: &Pkcs11) -> Result<(Session, ObjectHandle)> {
    let slot = *module.get_slots_with_token()?.first().ok_or("no token")?;
    let session = module.open_ro_session(slot)?;
    let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(b"device".to_vec())];
    let key = *session.find_objects(&template)?.first().ok_or("no private key")?;
    Ok((session, key))
}

fn sign_one(session: &Session, key: ObjectHandle, digest: [u8; 32]) -> Result<Signed> {
    Ok((digest, session.sign(&Mechanism::Ecdsa, key, &digest)?))
}

/// Digests that no other thread and no other seed has.
fn digests(count: u32, seed: u32, thread: usize) -> impl Iterator<Item = [u8; 32]> {
    (0..count).map(move |index| {
        let mut digest = [0xc3; 32];
        digest[..4].copy_from_slice(&seed.to_be_bytes());
        digest[4..12].copy_from_slice(&(thread as u64).to_be_bytes());
        digest[12..16].copy_from_slice(&index.to_be_bytes());
        digest
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
