//! The linker script of esp-hal, which starts the program; the linker is a gcc, which must not do so as well.

fn main() {
    println!("cargo:rustc-link-arg=-Tlinkall.x");
    println!("cargo:rustc-link-arg=-nostartfiles");
}
