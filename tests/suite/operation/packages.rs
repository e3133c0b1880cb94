//! The Debian packages on a clean Debian 12: installed, looked at, removed, purged.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs};

use crate::support::{Finished, Running, products, profile, repository, run, target_directory};

/// The first time cargo-deb is built, too.
const PACK_LIMIT: Duration = Duration::from_secs(900);
/// How long a slow mirror may take.
const ROOT_LIMIT: Duration = Duration::from_secs(600);
/// What dpkg, its scripts and the tools for users write beside the files of packages.
const BOOKS: [&str; 10] = [
    "var/lib/dpkg",
    "var/lib/systemd",
    "run/systemd",
    "var/log",
    "var/cache",
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/.pwd.lock",
];

/// A root file system of its own for one test.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        let clean = clean_root();
        let root = Self(tempfile::tempdir_in(target_directory()).unwrap());
        let mut copy = Command::new("cp");
        run(copy.args(["--archive", "--reflink=auto", "--no-target-directory"]).arg(&clean).arg(root.path()))
            .succeeded();
        root
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("root")
    }

    /// Runs a command in it.
    fn run(&self, command: &str) -> Finished {
        let mut chroot = Command::new("chroot");
        chroot.arg(self.path()).args(["/bin/sh", "-c", command]);
        run(chroot
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DEBIAN_FRONTEND", "noninteractive"))
    }

    /// All files but the books.
    fn files(&self) -> Vec<String> {
        let mut find = Command::new("find");
        let list = run(find.current_dir(self.path()).args([".", "-mindepth", "1"])).succeeded().text();
        let files = list.lines().map(|line| line.trim_start_matches("./").to_owned());
        let mut files: Vec<_> =
            files.filter(|file| !BOOKS.iter().any(|book| file.starts_with(book))).collect();
        files.sort();
        files
    }

    /// Those that were not there `before`.
    fn new_since(&self, before: &[String]) -> Vec<String> {
        self.files().into_iter().filter(|file| before.binary_search(file).is_err()).collect()
    }
}

/// A clean Debian 12, which is not to be changed.
pub(super) fn clean_root() -> PathBuf {
    let clean = target_directory().join("debian-12");
    let mut script = Command::new(repository().join("tests/debian"));
    script.arg("bookworm").arg(&clean).arg("systemd,udev,ca-certificates,p11-kit,openssl");
    Running::start(&mut script).finish(ROOT_LIMIT).succeeded();
    clean
}

/// The folder with the three packages: the one that `PACKAGES` names, or made once for all tests of what these have built.
pub(super) fn packages() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(folder) = env::var_os("PACKAGES") {
            return folder.into();
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let mut build = Command::new(repository().join("packaging/build"));
        products();
        build.args(["--built", profile()]).arg(&folder).env("CARGO_TARGET_DIR", target_directory());
        Running::start(&mut build).finish(PACK_LIMIT).succeeded();
        folder
    });
    &FOLDER
}

/// The names of what `folder` holds.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn they_install_on_a_clean_debian_and_leave_it_clean() {
    let packages = packages();
    let root = Root::new();
    let before = root.files();
    let list = names(packages);
    assert_eq!(list.len(), 3, "{list:?}");
    fs::create_dir(root.path().join("tmp/packages")).unwrap();
    for package in &list {
        fs::copy(packages.join(package), root.path().join("tmp/packages").join(package)).unwrap();
    }
    let installed = root.run("dpkg --install /tmp/packages/*.deb && rm -r /tmp/packages").succeeded();
    println!("{}", installed.text());

    // The unit is understood, and as closed as it is said to be.
    let verified = root.run("systemd-analyze verify --man=no atecc-agent.service").succeeded();
    assert_eq!(verified.all().trim(), "");
    let security =
        root.run("systemd-analyze security --no-pager --offline=true --threshold=20 atecc-agent.service");
    println!("{}", security.text().lines().last().unwrap());
    security.succeeded();
    // It waits for its configuration.
    assert!(!root.path().join("etc/systemd/system/multi-user.target.wants/atecc-agent.service").exists());

    // The programs start; the agent's user can read its configuration, in which only the names are missing.
    root.run("atecc --version && atecc-agent --version").succeeded();
    let check = root.run("runuser -u atecc-agent -- atecc-agent check --offline");
    assert!(check.text().contains("ok       configuration  /etc/atecc/agent.toml"), "{}", check.all());
    assert!(check.text().contains("ok       roots"), "{}", check.all());
    assert!(check.text().contains("WRONG    key"), "{}", check.all());
    // The chip's place is asked for in atecc.toml, which says how.
    assert!(check.text().contains("atecc.toml"), "{}", check.all());
    let stranger = root.run("runuser -u nobody -- cat /etc/atecc/agent.toml");
    assert!(!stranger.status.success(), "others may read the agent's configuration");

    // Every program of the machine knows the module.
    let modules = root.run("p11-kit list-modules").succeeded().all();
    assert!(modules.contains("libpkcs11_atecc.so"), "{modules}");
    let files = root.new_since(&before);
    for file in [
        "usr/share/man/man1/atecc-agent.1.gz",
        "usr/share/man/man1/atecc.1.gz",
        "usr/share/bash-completion/completions/atecc-agent",
        "usr/lib/udev/rules.d/70-atecc.rules",
        "etc/atecc/atecc.toml",
    ] {
        assert!(files.iter().any(|there| there == file), "{file}: {files:#?}");
    }

    root.run("dpkg --remove atecc-agent libpkcs11-atecc atecc").succeeded();
    let left: Vec<_> = root.new_since(&before);
    // The last one is the mark of Debian's own tool that the unit is not to be started while it is removed.
    let expected = [
        "etc/atecc",
        "etc/atecc/agent.toml",
        "etc/atecc/atecc.toml",
        "etc/systemd/system/atecc-agent.service",
    ];
    assert_eq!(left, expected);
    root.run("dpkg --purge atecc-agent libpkcs11-atecc atecc").succeeded();
    assert_eq!(root.new_since(&before), Vec::<String>::new());
    assert!(!root.run("getent passwd atecc-agent").status.success());
}
