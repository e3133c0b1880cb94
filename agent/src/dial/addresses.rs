//! From a name to a connection: all its addresses, each with a limit, the first that answers (after RFC 8305, "Happy
//! Eyeballs").

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Destination, Error};

/// How long the name servers may take. The C library asks each of them twice, for five seconds.
const LOOKUP_LIMIT: Duration = Duration::from_secs(20);
/// How long one address may take to answer.
const ADDRESS_LIMIT: Duration = Duration::from_secs(15);
/// After this long without an answer the next address is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses that are tried. AWS gives eight of each family.
const MOST_ADDRESSES: usize = 20;

/// The addresses of `destination`, in the order in which they are to be tried.
pub(super) async fn look_up(destination: &Destination) -> Result<Vec<SocketAddr>, Error> {
    let (host, port) = (destination.host(), destination.port());
    if let Some(address) = destination.address() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |source| Error::Lookup { host: host.to_owned(), source };
    let found = timeout(LOOKUP_LIMIT, lookup_host((host, port)))
        .await
        .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err(failed(io::ErrorKind::NotFound.into())) } else { Ok(alternating(&found)) }
}

/// The families in turn, beginning with the one that the system prefers (RFC 8305, section 4): with a family that leads
/// nowhere only every other attempt is lost.
fn alternating(found: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let mut preferred = found.iter().filter(|address| address.is_ipv6() == first_is_v6);
    let mut other = found.iter().filter(|address| address.is_ipv6() != first_is_v6);
    let mut order = Vec::new();
    while order.len() < MOST_ADDRESSES {
        let pair = (preferred.next(), other.next());
        if pair == (None, None) {
            break;
        }
        order.extend(pair.0.into_iter().chain(pair.1));
    }
    order
}

/// A connection to the first of `addresses` that answers. If none does: the first one, and what is wrong with it, since
/// it is the one that the system prefers.
pub(super) async fn first_to_answer(
    addresses: Vec<SocketAddr>,
) -> Result<TcpStream, (SocketAddr, io::Error)> {
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter().enumerate().peekable();
    let mut failure: Option<(usize, SocketAddr, io::Error)> = None;
    loop {
        if let Some((place, address)) = waiting.next() {
            attempts.spawn(async move { (place, address, connect(address).await) });
        }
        let head_start = sleep(HEAD_START);
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok((_, _, Ok(stream)))) => return Ok(stream),
                Some(Ok((place, address, Err(error)))) => {
                    if failure.as_ref().is_none_or(|(first, ..)| place < *first) {
                        failure = Some((place, address, error));
                    }
                }
                // Nobody aborts an attempt while this waits for it.
                Some(Err(_)) => {}
                None => {
                    let (_, address, error) = failure.unwrap_or_else(|| {
                        (0, SocketAddr::from(([0, 0, 0, 0], 0)), io::ErrorKind::NotFound.into())
                    });
                    return Err((address, error));
                }
            },
            () = head_start, if waiting.peek().is_some() => {}
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    timeout(ADDRESS_LIMIT, TcpStream::connect(address))
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_the_first_begins() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]);
        assert_eq!(alternating(&found), addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]));
        let many: Vec<_> = (0..99).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        assert_eq!(alternating(&many).len(), MOST_ADDRESSES);
    }

    #[tokio::test]
    async fn an_address_that_refuses_costs_nothing_and_the_error_is_that_of_the_first() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        // Nobody has ever listened on port 1.
        let order = [addresses(&["127.0.0.1:1", "[::1]:1"]), vec![good]].concat();
        assert_eq!(first_to_answer(order).await.unwrap().peer_addr().unwrap(), good);
        let (address, _) = first_to_answer(addresses(&["127.0.0.1:1", "127.0.0.2:1"])).await.unwrap_err();
        assert_eq!(address, "127.0.0.1:1".parse().unwrap());
    }
}
