//! A bridge to a bridge: a host, an end that passes on, and a device with a person.

use core::ops::ControlFlow;
use std::{
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Mutex, mpsc},
    time::Instant,
};

use super::{
    kit::talk,
    lease::{Socket, random},
    *,
};

/// Asks for each signature and allows it after so long, which is longer than a lease.
struct Person<'a> {
    after: Duration,
    withdrawn: &'a Mutex<Vec<Fault>>,
}

const QUESTION: Duration = Duration::from_secs(20);

impl Gate for Person<'_> {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        let signs = asked.packets.iter().any(|packet| packet.opcode() == 0x41);
        if signs && asked.origin != Origin::LeaseNext { Decision::Ask(QUESTION) } else { Decision::Allow }
    }

    fn verdict(&mut self, _: &Asked<'_>, left: Duration) -> Verdict {
        if QUESTION - left >= self.after { Verdict::Allow } else { Verdict::Waiting }
    }

    fn withdrawn(&mut self, _: &Asked<'_>, fault: Fault) {
        self.withdrawn.lock().unwrap().push(fault);
    }
}

/// Hears of progress, and does something about it.
struct Host<'a>(&'a mut dyn FnMut(Progress) -> ControlFlow<()>);

impl Attendant for Host<'_> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        (self.0)(progress)
    }
}

/// Runs `test` as a host two bridges away from a device whose person allows `after` so long. Returns what became of the
/// questions that were not answered.
fn two_away(after: Duration, test: impl FnOnce(Socket)) -> Vec<Fault> {
    let (device, middle) = UnixStream::pair().unwrap();
    let (passing, near) = UnixStream::pair().unwrap();
    let start = Instant::now();
    let withdrawn = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let gate = Person { after, withdrawn: &withdrawn };
        let serving = scope.spawn(move || drop(serve(Socket(device, start), Chip::default(), gate, ABOUT)));
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            drop(serve(Socket(passing, start), Client::new(Socket(middle, start), 1), Open, ABOUT));
            drop(done);
        });
        test(Socket(near, start));
        // The end that passes on notices that its host is gone, and goes too.
        assert_eq!(is_done.recv_timeout(QUESTION / 2), Err(mpsc::RecvTimeoutError::Disconnected));
        serving.join().unwrap();
    });
    withdrawn.into_inner().unwrap()
}

fn sign() -> Packet {
    Packet::new(0x41, 0x80, 0, &[], 64)
}

#[test]
fn progress_reaches_a_host_two_bridges_away() {
    let withdrawn = two_away(Duration::from_millis(1_200), |socket| {
        let mut told = Vec::new();
        let mut note = |progress| {
            told.push(progress);
            ControlFlow::Continue(())
        };
        let mut client = Client::with_attendant(socket, 1, Host(&mut note));
        let mut responses = Responses::new();
        client.transact(&[random(), sign()], &mut responses).unwrap();
        assert_eq!(responses.iter().map(|response| response.data().len()).collect::<Vec<_>>(), [32, 64]);
        // The lease begins when the person has been there, and not before.
        let mut packets = [random(), sign(), random()].into_iter();
        client.converse(&[sign()], &mut (), &mut |_| packets.next()).unwrap();
        assert_eq!(packets.len(), 0);
        drop(client);
        assert!(told.len() >= 4, "{told:?}");
        assert!(told.contains(&Progress::Touch { seconds_left: 19 }), "{told:?}");
    });
    assert_eq!(withdrawn, []);
}

#[test]
fn a_host_two_bridges_away_takes_its_request_back() {
    let withdrawn = two_away(QUESTION, |socket| {
        let mut cancel = |_| ControlFlow::Break(());
        let mut client = Client::with_attendant(socket, 1, Host(&mut cancel));
        let error = client.transact(&[sign()], &mut Responses::new()).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Cancelled) | Error::Cancelled), "{error:?}");
        let error = client.converse(&[], &mut (), &mut |_| Some(sign())).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Cancelled) | Error::Cancelled), "{error:?}");
        // And goes on.
        client.transact(&[random()], &mut Responses::new()).unwrap();
    });
    assert_eq!(withdrawn, [Fault::Cancelled; 2]);
}

#[test]
fn the_question_of_a_host_that_is_gone_is_taken_back() {
    for is_lease in [false, true] {
        let withdrawn = two_away(QUESTION, |socket| {
            let line = socket.0.try_clone().unwrap();
            let mut leave = |_| {
                line.shutdown(Shutdown::Both).unwrap();
                ControlFlow::Continue(())
            };
            let mut client = Client::with_attendant(socket, 1, Host(&mut leave));
            let result = if is_lease {
                client.converse(&[], &mut (), &mut |_| Some(sign()))
            } else {
                client.transact(&[sign()], &mut Responses::new())
            };
            assert!(matches!(result, Err(Error::Stream(_))), "{result:?}");
        });
        assert_eq!(withdrawn, [Fault::Cancelled]);
    }
}

/// Text is told nothing of progress, and is heard all the same.
#[test]
fn the_question_of_text_is_taken_back_when_its_host_is_gone() {
    let withdrawn = two_away(QUESTION, |mut socket| {
        socket.write(&talk(&sign())).unwrap();
        // Long enough to have reached the device.
        std::thread::sleep(Duration::from_millis(500));
    });
    assert_eq!(withdrawn, [Fault::Cancelled]);
}
