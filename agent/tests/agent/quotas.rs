//! What AWS allows a client, as a broker sees it that looks at the clock.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use atecc_agent::mqtt::{Event, Events, Link, Options};
use atecc_agent::tls::{Connector, Roots, Versions};
use rumqttc::ConnectReturnCode;

use crate::LIMIT;
use crate::double::{Deed, Double, FORBIDDEN, NAME};
use crate::stage::Stage;

fn start(double: &Double, change: impl FnOnce(&mut Options)) -> (Link, Events) {
    let stage = Stage::new().unwrap();
    let roots = Roots::from_file(&double.roots).unwrap();
    let connector = Connector::new(&stage.identity, roots, NAME, None, Versions::Both).unwrap();
    let mut options = Options::new("gateway");
    options.address = Some(double.address.to_string());
    change(&mut options);
    Link::start(options, connector).unwrap()
}

/// Eight filters in one SUBSCRIBE are allowed.
#[tokio::test]
async fn many_filters_are_subscribed_to_in_packets_of_eight() {
    let double = Double::start(vec![Deed::Serve]);
    let mut filters: Vec<String> = (0..20).map(|number| format!("a/{number}/#")).collect();
    filters.insert(10, FORBIDDEN.to_owned());
    let wanted = filters.clone();
    let (_link, mut events) = start(&double, |options| options.filters = filters);
    let event = tokio::time::timeout(LIMIT, events.next()).await.unwrap().unwrap();
    let Event::Connected { refused_filters, .. } = event else { panic!("{event:?}") };
    assert_eq!(refused_filters, [FORBIDDEN], "the answers of several packets belong to their filters");
    let seen = double.seen.lock().unwrap();
    assert_eq!(seen.subscribes.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 5]);
    let all: BTreeSet<_> = seen.subscribes.iter().flatten().collect();
    assert_eq!(all, wanted.iter().collect());
}

/// One CONNECT a second is allowed to a client id, whatever became of the last one.
#[test]
fn a_storm_of_refusals_and_cuts_makes_no_two_connects_within_a_second() {
    const CONNECTS: usize = 12;
    let double = Double::start(vec![
        Deed::Refuse(ConnectReturnCode::ServiceUnavailable),
        Deed::CutAfterConnect,
        Deed::CutBeforeTls,
        Deed::CutAfterConnack,
        Deed::Refuse(ConnectReturnCode::NotAuthorized),
        Deed::CutAfterConnack,
        Deed::CutBeforeTls,
        Deed::CutBeforeTls,
    ]);
    // As impatient as the configuration lets it be.
    let (_link, _events) = start(&double, |options| {
        (options.reconnect.first, options.reconnect.longest) =
            (Duration::from_secs(1), Duration::from_secs(1));
    });
    let end = Instant::now() + 3 * LIMIT;
    while double.seen.lock().unwrap().connects.len() < CONNECTS {
        assert!(Instant::now() < end, "{} CONNECTs", double.seen.lock().unwrap().connects.len());
        std::thread::sleep(Duration::from_millis(20));
    }
    let seen = double.seen.lock().unwrap();
    let gaps: Vec<_> = seen.connects.windows(2).map(|two| two[1] - two[0]).collect();
    println!("{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
}
