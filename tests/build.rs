//! Looks for the data of real chips, which is not part of the repository, so that the tests that need it are
//! counted as ignored where it is absent.

use std::{env, path::Path};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(real_data)");
    println!("cargo::rerun-if-env-changed=ATECC_TEST_DATA");
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let path = env::var("ATECC_TEST_DATA").unwrap_or_else(|_| beside.into());
    println!("cargo::rerun-if-changed={path}");
    if Path::new(&path).join("chips").is_dir() {
        println!("cargo::rustc-cfg=real_data");
        println!("cargo::rustc-env=ATECC_TEST_DATA={path}");
    }
}
