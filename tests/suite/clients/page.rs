//! Runs the commands of a page.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command, time::Duration};

use tempfile::TempDir;

use crate::support::{
    Finished, Running, free_port, release_programs, repository, script, sh_blocks, target_directory,
};

/// How long a page may take, virtual environments and JVMs included.
const LIMIT: Duration = Duration::from_secs(240);
/// Ports on the pages begin with these digits and have five.
const PORT_PREFIX: &str = "44";

/// Runs all blocks of a page that are marked `sh`, behind those of README.md's preparation, in one shell that stops
/// at the first command that fails. Three things differ from what a reader does: the programs are built already and
/// are those of this run of the tests, and the ports are free ones.
#[track_caller]
pub(super) fn run(name: &str) -> Finished {
    run_with(name, &[])
}

/// The same for a page that writes to a folder of the system: it gets an empty one there, which nobody else sees.
#[track_caller]
pub(super) fn run_with_private(name: &str, folder: &str) -> Finished {
    let mount = format!("mount -t tmpfs none {folder} && exec \"$@\"");
    run_with(name, &["unshare", "--mount", "--map-root-user", "sh", "-c", &mount, "sh"])
}

/// The same for a page about another system, whose root file system is `root`. What the page starts ends with it.
#[track_caller]
pub(super) fn run_in_root(name: &str, root: &Path) -> Finished {
    let folder = tempfile::tempdir_in(root.join("tmp")).unwrap();
    let inside = Path::new("/").join(folder.path().strip_prefix(root).unwrap());
    let (at_root, at_folder) = (format!("--root={}", root.display()), format!("--wd={}", inside.display()));
    let home = format!("HOME={}", inside.display());
    let own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc=/proc"];
    run_in(&folder, name, &[&own[..], &[&at_root, &at_folder, "env", &home]].concat())
}

#[track_caller]
fn run_with(name: &str, wrapper: &[&str]) -> Finished {
    run_in(&tempfile::tempdir().unwrap(), name, wrapper)
}

#[track_caller]
fn run_in(folder: &TempDir, name: &str, wrapper: &[&str]) -> Finished {
    release_programs(folder.path());
    let commands = blocks("README.md").replacen("cargo build --release\n", "", 1) + &blocks(name);
    let script = script("-euxo pipefail", &with_free_ports(&commands));
    run_script(folder, wrapper, &script).succeeded()
}

#[track_caller]
fn run_script(folder: &TempDir, wrapper: &[&str], script: &str) -> Finished {
    // `timeout` ends the servers that the page started as well: they are in its process group.
    let mut bash = Command::new("timeout");
    bash.arg(LIMIT.as_secs().to_string()).args(wrapper).args(["bash", "-c", script]);
    bash.current_dir(folder.path());
    // A home of its own, for programs that keep settings there.
    bash.env_remove("ATECC_DEVICE").env("HOME", folder.path());
    bash.env("PATH", env::var_os("PATH").unwrap());
    // Packages of PyPI and npm are fetched once, and crates of pages compiled once.
    bash.env("PIP_CACHE_DIR", repository().join("target/pip"));
    bash.env("npm_config_cache", repository().join("target/npm"));
    bash.env("CARGO_TARGET_DIR", target_directory().join("pages"));
    // Rust stays where its installer put it: in the home of who runs the tests.
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let home = env::var_os("HOME").map(|home| Path::new(&home).join(folder).into_os_string());
        bash.envs(env::var_os(variable).or(home).map(|home| (variable, home)));
    }
    Running::start(&mut bash).finish(LIMIT + Duration::from_secs(10))
}

fn blocks(name: &str) -> String {
    let page = fs::read_to_string(repository().join("docs/clients").join(name)).unwrap();
    let blocks = sh_blocks(&page);
    assert!(!blocks.is_empty(), "{name} has no commands");
    blocks.concat()
}

fn with_free_ports(commands: &str) -> String {
    let mut ports = BTreeMap::new();
    let mut result = String::new();
    let mut rest = commands;
    while let Some(at) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
        let (number, behind) = number.split_at(end);
        result += before;
        if number.len() == 5 && number.starts_with(PORT_PREFIX) {
            result += &ports.entry(number).or_insert_with(free_port).to_string();
        } else {
            result += number;
        }
        rest = behind;
    }
    result + rest
}

#[test]
fn every_page_is_in_the_table_and_has_a_test() {
    let folder = repository().join("docs/clients");
    let table = fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(client) = name.strip_suffix(".md").filter(|client| *client != "README") else { continue };
        assert!(table.contains(&format!("[{client}]({name})")), "{name} is not in the table");
        let page = fs::read_to_string(folder.join(&name)).unwrap();
        let test = repository().join("tests/suite/clients").join(client.replace('-', "_") + ".rs");
        let says_so = page.contains("**Not tested here.**");
        assert!(test.exists() != says_so, "{name} needs a test, or says **Not tested here.**");
    }
}
