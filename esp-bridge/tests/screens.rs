//! Every screen is the picture in docs/screens, and the lights are as the README has them. `./build screens` draws the
//! pictures anew, for somebody to look at.

mod support;

use std::{env, path::PathBuf, time::Duration};

use atecc::packet::Packet;
use embedded_graphics::pixelcolor::{Rgb565, RgbColor};
use esp_bridge::{
    leds::{FRAME, Rgb, light},
    screens,
    session::{Origin, Session},
    touch::{Meaning, Press, TouchPolicy},
};
use support::{START, Scene, read_png, scenes, with_chip};

fn pictures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/screens")
}

#[test]
fn each_screen_is_its_picture() {
    let mut wrong = Vec::new();
    for scene in scenes() {
        let path = pictures().join(scene.name).with_extension("png");
        let drawn = scene.draw();
        if env::var_os("DRAW_SCREENS").is_some() {
            drawn.write_png(&path);
        }
        if read_png(&path).as_deref() != Some(drawn.to_rgb().as_slice()) {
            drawn.write_png(&env::temp_dir().join(scene.name).with_extension("png"));
            wrong.push(scene.name);
        }
    }
    assert!(
        wrong.is_empty(),
        "{wrong:?} are not as in docs/screens; what was drawn is in {}. If it is right: ./build screens",
        env::temp_dir().display()
    );
}

#[test]
fn no_picture_is_left_over() {
    let names: Vec<_> = scenes().iter().map(|scene| scene.name.to_owned()).collect();
    for entry in std::fs::read_dir(pictures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "png") {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(names.contains(&stem), "{stem}.png shows no screen");
        }
    }
}

#[test]
fn every_pixel_is_drawn_whatever_was_there_before() {
    for scene in scenes() {
        let drawn = scene.draw();
        assert!(!drawn.pixels().contains(&Rgb565::MAGENTA), "{}", scene.name);
    }
}

/// Two requests that differ in what a person must see give two pictures.
#[test]
fn what_must_be_seen_is_seen() {
    let scenes = scenes();
    for (index, one) in scenes.iter().enumerate() {
        for other in &scenes[index + 1..] {
            assert!(one.draw().pixels() != other.draw().pixels(), "{} and {}", one.name, other.name);
        }
    }
}

/// Of two seconds, in the order of the table.
#[test]
fn the_lights_say_what_the_readme_says() {
    let scenes = scenes();
    let lights = |name: &str| -> Vec<Rgb> {
        let scene = scenes.iter().find(|scene| scene.name == name).unwrap();
        (0..40).map(|frame| light(&scene.session, scene.now + frame * FRAME)).collect()
    };
    let changes = |lights: &[Rgb]| lights.windows(2).filter(|two| two[0] != two[1]).count();
    let all_are = |lights: &[Rgb], is_it: fn(&Rgb) -> bool| lights.iter().all(is_it);
    let red = |light: &Rgb| light.red > 0 && light.green == 0 && light.blue == 0;
    let red_or_dark = |light: &Rgb| light.green == 0 && light.blue == 0;

    let ready = lights("ready");
    assert!(all_are(&ready, |light| light.red == 0 && light.green > light.blue && light.green < 16));
    let asking = lights("asking-sign");
    assert!(all_are(&asking, |light| light.red > light.green && light.green > 0 && light.blue == 0));
    let signing = lights("signing");
    assert!(all_are(&signing, |light| light.blue > light.green && light.red == 0));
    let refused = lights("refused-denied");
    assert!(all_are(&refused, red));
    assert!([&ready, &signing, &refused].iter().all(|lights| changes(lights) == 0));
    assert!(changes(&asking) > 20);
    for (name, blinks) in [("unlocked", 3..=4), ("chip-missing", 3..=4), ("bus-fault", 12..=14)] {
        let lights = lights(name);
        assert!(all_are(&lights, red_or_dark) && blinks.contains(&changes(&lights)), "{name}");
    }
}

#[test]
fn a_display_at_rest_stays_at_rest() {
    let session = with_chip(TouchPolicy::Always, None);
    let later = START + Duration::from_secs(3_600);
    assert_eq!(screens::tick(&session, START), screens::tick(&session, later));
}

/// Nothing is drawn beside the display, whatever a host thinks of.
#[test]
fn the_longest_words_fit() {
    let mut drawn = 0;
    // What is not on the list is shown by numbers.
    for opcode in (0..=0x5f).chain([0x77, 0x80, 0xff]) {
        for unlocked in [false, true] {
            for mode in [0x00, 0x01, 0x02, 0x03, 0x04, 0x80, 0xa0, 0xbe, 0xff] {
                let packets = vec![Packet::new(opcode, mode, 0x0f, &[], 1); 16];
                let mut session = with_chip(TouchPolicy::Every(Duration::from_secs(86_400)), Some(0xffff));
                if unlocked {
                    session.idle(Some(Press { meaning: Meaning::Unlock, since: START }), START);
                }
                let now = START + Duration::from_secs(1);
                let mut shoot = |session: Session| {
                    drawn += 1;
                    Scene { name: "", session, now }.draw();
                };
                let mut again = with_chip(TouchPolicy::Never, None);
                again.request(&packets, Origin::Kit, START);
                again.done(true, now);
                shoot(again);
                session.request(&packets, Origin::Transaction, START);
                session.answer(&packets, Some(Press { meaning: Meaning::Allow, since: now }), now);
                shoot(session);
            }
        }
    }
    assert!(drawn > 3_000);
}
