//! A chip on a served bus, and a folder with everything that its users need.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    thread,
    time::Duration,
};

use atecc::{PublicKey, Signature, Slot};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision, socket::Server};
use atecc_token::{DeviceSpec, Token};

use crate::{
    Result,
    signer::{Signed, Signer, Work},
};

/// It lives as long as its folder.
pub(crate) struct Bench<'a> {
    folder: &'a Path,
    public_key: PublicKey,
    is_root: bool,
}

impl<'a> Bench<'a> {
    /// Serves an emulated chip while `run` runs.
    pub(crate) fn with(module: &Path, run: impl FnOnce(&Bench<'_>) -> Result<()>) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("bus.sock");
        // Copies that every user may read, wherever the originals lie.
        fs::copy(env::current_exe()?.with_file_name("module-sign"), folder.path().join("module-sign"))
            .map_err(|error| format!("the program module-sign beside this one: {error}"))?;
        fs::copy(module, folder.path().join("module.so"))
            .map_err(|error| format!("{}: {error}", module.display()))?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;

        let server = Server::bind(&socket)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o666))?;
        let bus =
            Bus::new(Chip::new(provision::tng_tls()?, Pace::Typical), Clock::real(), Bus::STANDARD_HERTZ);
        thread::scope(|scope| {
            scope.spawn(|| server.run(bus));
            let result = Bench::new(folder.path()).and_then(|bench| run(&bench));
            server.stop();
            result
        })
    }

    fn new(folder: &'a Path) -> Result<Self> {
        let mut bench = Self {
            folder,
            public_key: PublicKey::from_bytes([0; 64]),
            is_root: fs::metadata("/proc/self")?.uid() == 0,
        };
        let spec: DeviceSpec = bench.device().parse()?;
        bench.public_key = Token::open(&spec)?.public_key(Slot::PRIMARY_KEY)?;
        Ok(bench)
    }

    fn device(&self) -> String {
        format!("emulator:unix:{}/bus.sock", self.folder.display())
    }

    fn start(&self, work: Work) -> Result<Signer> {
        // Nobody's home does not exist, so that nothing is kept there.
        let as_nobody = self.is_root && work.seed % 2 == 1;
        Signer::start(self.folder, &self.device(), as_nobody, work)
    }

    /// Lets a process do each of `work`, all at once. Gives how many signatures came of it, each of which was
    /// verified, and how long the slowest process took.
    pub(crate) fn sign(&self, work: &[Work]) -> Result<(usize, Duration)> {
        let mut signers = work.iter().map(|work| self.start(*work)).collect::<Result<Vec<_>>>()?;
        signers.iter_mut().try_for_each(Signer::go)?;
        let (mut digests, mut slowest) = (BTreeSet::new(), Duration::ZERO);
        for (signer, work) in signers.into_iter().zip(work) {
            let (signed, wall) = signer.finish()?;
            if signed.len() != (work.threads * work.count) as usize {
                return Err(format!("{} signatures of {work:?}", signed.len()).into());
            }
            for Signed { digest, signature } in signed {
                if !self.public_key.verify(&digest, &Signature::from_bytes(signature)) {
                    return Err(format!("a signature of {work:?} over {digest:02x?} is wrong").into());
                }
                if !digests.insert(digest) {
                    return Err(format!("the digest {digest:02x?} was signed twice").into());
                }
            }
            slowest = slowest.max(wall);
        }
        Ok((digests.len(), slowest))
    }

    /// Lets a process sign for so long, and kills it.
    pub(crate) fn kill(&self, work: Work, life: Duration) -> Result<()> {
        let mut victim = self.start(work)?;
        victim.go()?;
        thread::sleep(life);
        victim.kill()
    }
}
