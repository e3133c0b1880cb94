//! The C side from C: small programs in tests/c, compiled here, alone, under valgrind and with AddressSanitizer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;

use super::support::{Chip, Finished, Running, module, repository, run, target_directory};

/// A program of tests/c, compiled.
pub(crate) struct Program {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Program {
    pub(crate) fn compile(name: &str) -> Self {
        Self::compile_with(name, &[])
    }

    /// With AddressSanitizer, which watches the memory of the module too: it takes the place of malloc and memcpy in
    /// the process, and looks for what is lost when that ends, a forked child included.
    fn compile_with_address_sanitizer(name: &str) -> Self {
        Self::compile_with(name, &["-fsanitize=address", "-fno-omit-frame-pointer"])
    }

    fn compile_with(name: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let source = repository().join("tests/c").join(name).with_extension("c");
        let mut gcc = Command::new("gcc");
        gcc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]);
        // The declarations of PKCS#11 3.0 that Debian has.
        gcc.args(["-isystem", "/usr/include/nss", "-isystem", "/usr/include/nspr"]);
        run(gcc.args(options).arg("-o").arg(&path).arg(source).arg("-ldl")).succeeded();
        Self { _folder: folder, path }
    }

    fn run(&self, device: &str) -> Finished {
        self.run_with(&module(), device)
    }

    fn run_with(&self, module: &Path, device: &str) -> Finished {
        finish(Command::new(&self.path).arg(module).env("ATECC_DEVICE", device))
    }

    fn run_under_valgrind(&self, device: &str) -> Finished {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
        // What is still reachable at the end belongs to a library that a child of the program did not unload.
        // Once the module is unloaded, nothing of it is reachable.
        valgrind.args(["--show-leak-kinds=definite,indirect,possible"]);
        valgrind.args(["--errors-for-leak-kinds=definite,indirect,possible"]);
        finish(valgrind.arg(&self.path).arg(module()).env("ATECC_DEVICE", device))
    }
}

fn finish(command: &mut Command) -> Finished {
    Running::start(command).finish(Duration::from_secs(180))
}

#[track_caller]
fn assert_clean(finished: Finished) {
    let finished = finished.succeeded();
    assert!(finished.text().ends_with("no failures\n"), "{}", finished.all());
    // Where valgrind tells what it finds, also in children.
    assert_eq!(finished.stderr, "", "{}", finished.text());
}

/// A chip whose time passes without waiting.
fn quick(chip: &Chip) -> String {
    chip.device() + "?clock=virtual"
}

#[test]
fn every_function_keeps_the_rules_of_the_standard() {
    let chip = Chip::new();
    for name in ["surface", "version_3", "mechanisms"] {
        assert_clean(Program::compile(name).run(&quick(&chip)));
    }
}

#[test]
fn every_function_is_clean_under_valgrind() {
    let chip = Chip::new();
    for name in ["surface", "version_3", "mechanisms"] {
        assert_clean(Program::compile(name).run_under_valgrind(&quick(&chip)));
    }
}

#[test]
fn every_function_is_clean_with_address_sanitizer() {
    let chip = Chip::new();
    for name in ["surface", "version_3", "mechanisms"] {
        assert_clean(Program::compile_with_address_sanitizer(name).run(&quick(&chip)));
    }
}

#[test]
fn threads_forks_and_reloads_leave_the_module_usable() {
    let chip = Chip::new();
    let bus = chip.serve();
    assert_clean(Program::compile("guest").run(&bus.device()));
}

#[test]
fn threads_forks_and_reloads_are_clean_under_valgrind() {
    let chip = Chip::new();
    let bus = chip.serve();
    assert_clean(Program::compile("guest").run_under_valgrind(&bus.device()));
}

#[test]
fn threads_forks_and_reloads_are_clean_with_address_sanitizer() {
    let chip = Chip::new();
    let bus = chip.serve();
    assert_clean(Program::compile_with_address_sanitizer("guest").run(&bus.device()));
}

/// The module as users build it.
fn release_module() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository()).args(["build", "--quiet", "--locked", "--release"]);
        cargo.args(["--package", "pkcs11-atecc"]).env("CARGO_TARGET_DIR", target_directory());
        assert!(cargo.status().unwrap().success(), "the module does not build for release");
    });
    target_directory().join("release/libpkcs11_atecc.so")
}

#[test]
fn a_release_of_the_module_is_small() {
    let stripped = tempfile::NamedTempFile::new().unwrap();
    run(Command::new("strip").arg("-o").arg(stripped.path()).arg(release_module())).succeeded();
    let length = fs::metadata(stripped.path()).unwrap().len();
    assert!(length <= 1_500_000, "{length} bytes");
}

#[test]
fn a_process_with_the_module_needs_three_megabytes_more_at_most() {
    let chip = Chip::new();
    let output = Program::compile("footprint").run_with(&release_module(), &quick(&chip)).succeeded().text();
    let (kilobytes, _) = output.split_once(" kB\nno failures\n").unwrap();
    assert!(kilobytes.parse::<u32>().unwrap() <= 3_000, "{kilobytes} kB");
}

/// A symbol more could clash with one of the program that loads the module.
#[test]
fn the_module_exports_only_what_the_standard_names() {
    for module in [module(), release_module()] {
        let symbols = run(Command::new("nm").args(["-D", "--defined-only"]).arg(module)).succeeded().text();
        let mut names: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        names.sort_unstable();
        assert_eq!(names, ["C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"]);
    }
}

/// The module brings its own cryptography: that of the process, seen from inside an OpenSSL engine or provider,
/// would call the module again.
#[test]
fn the_module_needs_nothing_but_the_c_library() {
    let needed = run(Command::new("readelf").arg("-d").arg(release_module())).succeeded().text();
    for line in needed.lines().filter(|line| line.contains("(NEEDED)")) {
        let known = ["libc.so", "libgcc_s.so", "libm.so", "ld-linux"].iter().any(|name| line.contains(name));
        assert!(known, "{line}");
    }
}
