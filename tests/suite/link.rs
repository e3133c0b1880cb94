//! Both protocols of a bridge over a line that damages what it carries, in small; `campaign --link` and `campaign --kit` are
//! the large runs.

use std::process::Command;

use super::support::run;

fn campaign(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_campaign"));
    let output = run(command.args(arguments)).succeeded();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_damaged_line_never_gives_a_wrong_answer_and_is_always_in_order_again() {
    let figures = campaign(&["--link", "6000"]);
    assert_at_least(
        &figures,
        [
            ("frames; ", " chunks", 100),
            ("requests, ", " repeats", 100),
            ("errors; ", " signatures", 50),
            ("and ", " counter steps", 25),
            ("wrong; ", " restarts", 3),
        ],
    );
}

#[test]
fn a_damaged_line_of_text_never_changes_what_is_signed_and_is_always_in_order_again() {
    let figures = campaign(&["--kit", "4000"]);
    assert_at_least(
        &figures,
        [
            ("lines; ", " chunks", 100),
            ("requests, ", " of them failed", 30),
            ("failed; ", " signatures", 20),
            ("alone; ", " commands refused", 10),
            ("either end, ", " times in order", 2),
        ],
    );
}

/// The line was bad enough, and what was to be tested took place.
#[track_caller]
fn assert_at_least<const N: usize>(figures: &str, least: [(&str, &str, u32); N]) {
    for (before, after, least) in least {
        let number = figures
            .split(after)
            .next()
            .and_then(|text| text.rsplit(before).next())
            .and_then(|number| number.parse::<u32>().ok());
        assert!(number >= Some(least), "{before}…{after}: {figures}");
    }
}

#[test]
fn any_input_is_answered_or_passed_over() {
    assert!(campaign(&["--link-inputs", "20000"]).contains("20000 inputs"));
}
