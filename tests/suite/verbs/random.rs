//! `random`.

use std::fs;

use crate::support::{Chip, run};

#[test]
fn random_numbers_are_as_many_as_asked_for_and_never_the_same() {
    let chip = Chip::new();
    let random = |arguments: &[&str]| run(chip.atecc().arg("random").args(arguments)).succeeded().stdout;
    assert_eq!(random(&[]).len(), 65);
    assert_ne!(random(&[]), random(&[]));
    for count in [1, 31, 33, 100] {
        assert_eq!(random(&[&count.to_string(), "--format", "binary"]).len(), count);
    }
    random(&["40", "--format", "binary", "--out", &chip.path("random").to_string_lossy()]);
    assert_eq!(fs::read(chip.path("random")).unwrap().len(), 40);
    for count in ["0", "1048577", "-1", "many"] {
        run(chip.atecc().args(["random", count])).failed_with(2);
    }
}
