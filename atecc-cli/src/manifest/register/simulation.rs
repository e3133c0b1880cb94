//! Whole reels against a cloud that is simulated, on a clock that is.

mod cloud;
mod time;

use std::{path::Path, time::Duration};

use cloud::{Cloud, Faults};
use tokio::sync::mpsc;

use super::{
    super::chip::Chip,
    api::Quotas,
    clock::Clock,
    journal::{Journal, Subject},
    reel::{End, Event, Wish, run},
    registrar::{Outcome, Registrar},
};

/// What was told of a run.
#[derive(Debug, Default)]
struct Told {
    before: usize,
    registered: usize,
    already_there: usize,
    failed: Vec<String>,
}

/// More than any run takes.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

fn chip(entry: usize) -> Chip {
    Chip {
        entry,
        serial_number: format!("{entry:018x}"),
        thing: format!("sn{entry:018X}"),
        certificate: [b"certificate".as_slice(), &entry.to_be_bytes()].concat(),
        signer: Vec::new(),
    }
}

fn subject() -> Subject {
    Subject {
        manifest: "00".into(),
        endpoint: "simulated".into(),
        thing_name: "{name}".into(),
        group: Some("reel".into()),
        policy: None,
    }
}

/// A run over `entries` chips, at AWS's default quotas. It is killed after `life`.
fn session(
    cloud: &Cloud,
    journal: &Path,
    entries: usize,
    seed: u64,
    life: Duration,
    wish: impl Fn() -> Wish,
) -> (Told, Option<End>) {
    let (group, random) = (Some("reel".into()), fastrand::Rng::with_seed(seed));
    let clock = cloud.clock();
    let registrar = Registrar::new(cloud.clone(), clock.clone(), Quotas::new(&[]), group, None, random);
    let mut journal = Journal::open(journal, &subject()).unwrap();
    let (sender, receiver) = mpsc::channel(64);
    let mut told = Told::default();
    let tell = |event: Event<'_>| {
        match event {
            Event::Before => told.before += 1,
            Event::Done(Outcome::Registered) => told.registered += 1,
            Event::Done(Outcome::AlreadyThere) => told.already_there += 1,
            Event::Failed(chip, why) => told.failed.push(format!("{}: {why}", chip.entry)),
            Event::Tick => {}
        }
        wish()
    };
    let feed = async move {
        for entry in 1..=entries {
            if sender.send(chip(entry)).await.is_err() {
                break;
            }
        }
    };
    let work = async { tokio::join!(feed, run(&registrar, receiver, &mut journal, tell)).1.unwrap() };
    let end = clock.run(work, life);
    (told, end)
}

/// `entries` chips, killed `kills` times, with faults; what it took, in time of the simulation.
fn campaign(entries: usize, kills: usize, faults: Faults, seed: u64) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let cloud = Cloud::new(faults, seed);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut done, mut registered) = (0, 0);
    // Moments that are anywhere before the end.
    let end = entries as f64 / 10.0 * 0.98;
    let mut moments: Vec<f64> = (0..kills).map(|_| random.f64() * end).collect();
    moments.sort_by(f64::total_cmp);
    for killed in 0..=kills {
        let life = match moments.get(killed) {
            Some(moment) => Duration::from_secs_f64(*moment).saturating_sub(cloud.clock().now()),
            None => FOR_EVER,
        };
        let (told, end) = session(&cloud, &path, entries, random.u64(..), life, || Wish::GoOn);
        assert_eq!(told.failed, [""; 0]);
        assert!(end.is_none() || end == Some(End::Complete));
        registered += told.registered;
        done += told.registered + told.already_there;
        if end.is_none() {
            assert!(killed < kills, "the last run has no end");
            done -= tear(&path, &mut random);
        } else {
            assert_eq!(told.before + told.registered + told.already_there, entries);
            assert!(killed == kills, "it was killed {killed} times only");
        }
    }
    let taken = cloud.clock().now();
    cloud.assert_each_registered_once(entries);
    assert_eq!(done, entries);
    println!(
        "{entries} chips, killed {kills} times, {} calls, {} throttled by chance, {} by the quota: {registered} registered, \
         {} found in place; {:.0} s of simulated time, at least {:.0} s by the quota",
        cloud.calls(),
        cloud.throttled_by_chance(),
        cloud.throttled_by_quota(),
        entries - registered,
        taken.as_secs_f64(),
        entries as f64 / 10.0,
    );
    taken
}

/// What a loss of power leaves of the last line; how many lines are gone.
fn tear(journal: &Path, random: &mut fastrand::Rng) -> usize {
    let text = std::fs::read(journal).unwrap();
    let torn = &text[..text.len() - random.usize(..text.len().min(60))];
    std::fs::write(journal, torn).unwrap();
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    lines(&text) - lines(torn)
}

/// What a kill throws away has to be done again, and the last chips may have to wait between attempts: half a minute, for
/// any number.
#[track_caller]
fn assert_limited_by_quota_alone(entries: usize, taken: Duration) {
    let least = entries as f64 / 10.0;
    assert!((least * 0.99..least * 1.02 + 30.0).contains(&taken.as_secs_f64()), "{taken:?} for {entries}");
}

#[test]
fn the_quota_alone_limits_and_is_never_exceeded() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::new(Faults::default(), 1));
    let path = folder.path().join("journal");
    let (told, end) = session(&cloud, &path, 2000, 1, FOR_EVER, || Wish::GoOn);
    assert_eq!((told.registered, end), (2000, Some(End::Complete)));
    assert_limited_by_quota_alone(2000, cloud.clock().now());
    assert_eq!(cloud.throttled_by_quota(), 0);
    // Four calls for each, and no policy for any.
    assert_eq!(cloud.calls(), 8000);
    cloud.assert_each_registered_once(2000);
}

/// Which takes two hours and three quarters, and sixteen seconds of processor time.
#[test]
fn a_hundred_thousand_chips_take_what_the_quota_says_through_twenty_kills_and_throttling() {
    let taken = campaign(100_000, 20, Faults { throttled: 0.3, ..Faults::default() }, 7);
    assert_limited_by_quota_alone(100_000, taken);
}

#[test]
fn lost_answers_and_failures_of_the_server_are_repeated() {
    let faults = Faults { throttled: 0.1, lost: 0.1, failed: 0.1 };
    campaign(500, 3, faults, 11);
}

#[test]
fn where_nobody_answers_it_gives_up_and_the_next_run_completes_it() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::new(Faults::default(), 3));
    let path = folder.path().join("journal");
    cloud.cut_after(1000);
    let (told, end) = session(&cloud, &path, 1000, 3, FOR_EVER, || Wish::GoOn);
    let Some(End::GaveUp(why)) = end else { panic!("{end:?}") };
    assert!(why.contains("nobody answers"), "{why}");
    assert!((200..260).contains(&told.registered) && told.failed.is_empty(), "{told:?}");

    cloud.cut_after(usize::MAX);
    let (told, end) = session(&cloud, &path, 1000, 4, FOR_EVER, || Wish::GoOn);
    assert_eq!((end, told.failed), (Some(End::Complete), vec![]));
    cloud.assert_each_registered_once(1000);
}

#[test]
fn what_is_refused_is_told_chip_by_chip_and_ends_it_only_if_all_are() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::new(Faults::default(), 5));
    let path = folder.path().join("journal");
    cloud.refuse(|thing| thing.ends_with('7'));
    let (told, end) = session(&cloud, &path, 160, 5, FOR_EVER, || Wish::GoOn);
    assert_eq!((end, told.failed.len(), told.registered), (Some(End::Complete), 10, 150));
    assert_eq!(told.failed[0], "7: CreateThing: it is refused");

    // They are tried again, since nobody knows why.
    cloud.refuse(|_| false);
    let (told, _) = session(&cloud, &path, 160, 6, FOR_EVER, || Wish::GoOn);
    assert_eq!((told.before, told.already_there, told.failed.len()), (150, 10, 0));

    cloud.refuse(|_| true);
    let (told, end) = session(&cloud, &folder.path().join("other"), 1000, 7, FOR_EVER, || Wish::GoOn);
    assert!(matches!(end, Some(End::GaveUp(_))), "{end:?}");
    assert!((100..200).contains(&told.failed.len()), "{}", told.failed.len());
}

#[test]
fn a_certificate_that_somebody_switched_off_stays_off() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::new(Faults::default(), 8));
    cloud.switch_off(&chip(2));
    let path = folder.path().join("journal");
    let (told, end) = session(&cloud, &path, 3, 8, FOR_EVER, || Wish::GoOn);
    assert_eq!((end, told.registered, told.failed.len()), (Some(End::Complete), 2, 1));
    assert!(told.failed[0].contains("INACTIVE") && told.failed[0].contains("update-certificate"));
}

#[test]
fn who_interrupts_it_waits_for_no_more_than_a_call() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Cloud::new(Faults::default(), 9));
    let path = folder.path().join("journal");
    let wish = || if cloud.clock().now() < Duration::from_secs(30) { Wish::GoOn } else { Wish::Stop };
    let (told, end) = session(&cloud, &path, 1000, 9, FOR_EVER, wish);
    assert_eq!(end, Some(End::Interrupted));
    assert!(cloud.clock().now() < Duration::from_secs(31), "{:?}", cloud.clock().now());
    let (rest, _) = session(&cloud, &path, 1000, 10, FOR_EVER, || Wish::GoOn);
    assert_eq!(rest.before, told.registered);
    cloud.assert_each_registered_once(1000);
}
