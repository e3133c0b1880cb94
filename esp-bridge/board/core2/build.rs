//! The linker script of esp-hal.

fn main() {
    println!("cargo:rustc-link-arg=-Tlinkall.x");
    println!("cargo:rerun-if-env-changed=ATECC_TOUCH");
}
