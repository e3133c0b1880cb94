//! HTTP's CONNECT (RFC 9110, section 9.3.6), with the Basic scheme (RFC 7617). The crates that do this keep the proxy's answer
//! to themselves, and "407" and "403" have different remedies.

use base64ct::{Base64, Encoding};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Destination, Error, Proxy};

/// Bytes of an answer's head.
const LONGEST_HEAD: usize = 16 * 1024;
/// Fields in it.
const MOST_FIELDS: usize = 64;

/// Has `proxy`, at the other end of `stream`, connect it to `destination`.
pub(super) async fn tunnel(
    mut stream: TcpStream,
    proxy: &Proxy,
    destination: &Destination,
) -> Result<TcpStream, Error> {
    let mut request = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n");
    let login = proxy.login()?;
    let logged_in = login.is_some();
    if let Some((user, password)) = login {
        let credentials = Base64::encode_string(format!("{user}:{}", password.expose_secret()).as_bytes());
        request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
    }
    request.push_str("\r\n");
    let no_answer = |problem: String| Error::ProxyAnswer { proxy: proxy.to_string(), problem };
    stream.write_all(request.as_bytes()).await.map_err(|error| no_answer(error.to_string()))?;

    let mut head = Vec::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut head).await.map_err(|error| no_answer(error.to_string()))?;
        if let Some(answer) = parse(&head).map_err(no_answer)? {
            return match answer.status {
                // The server behind it does not speak before we do.
                200..=299 if answer.complete => Ok(stream),
                200..=299 => Err(no_answer("it sends bytes before the server can".to_owned())),
                // tinyproxy answers a wrong password by 401, which is for servers.
                401 | 407 => {
                    Err(Error::ProxyLogin { proxy: proxy.to_string(), problem: answer.challenge(logged_in) })
                }
                _ => Err(Error::ProxyRefused {
                    proxy: proxy.to_string(),
                    destination: destination.to_string(),
                    answer: answer.line,
                }),
            };
        }
        if read == 0 || head.len() > LONGEST_HEAD {
            let problem = if read == 0 { "it hung up" } else { "its answer does not end" };
            return Err(no_answer(problem.to_owned()));
        }
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Status and reason, fit for a log.
    line: String,
    /// What it wants to log in with (`Proxy-Authenticate`), by name.
    schemes: Vec<String>,
    /// Nothing came behind it.
    complete: bool,
}

/// `None`: there is more to come.
fn parse(head: &[u8]) -> Result<Option<Answer>, String> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(head).map_err(|error| format!("no HTTP ({error})"))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let status = response.code.unwrap_or_default();
    let reason: String =
        response.reason.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
    let challenges =
        response.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("proxy-authenticate"));
    let schemes = challenges.filter_map(|field| {
        let scheme = std::str::from_utf8(field.value).ok()?.split([' ', ',']).next()?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (!scheme.is_empty() && scheme.len() <= 32 && scheme.chars().all(is_token)).then(|| scheme.to_owned())
    });
    let schemes = schemes.collect();
    let line = format!("{status} {reason}").trim_end().to_owned();
    Ok(Some(Answer { status, line, schemes, complete: length == head.len() }))
}

impl Answer {
    /// Why a 407 came, for somebody who did or did not log in.
    fn challenge(&self, logged_in: bool) -> String {
        let knows_basic =
            self.schemes.is_empty() || self.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
        if !knows_basic {
            format!("it wants a login by {}, and only Basic can be offered here", self.schemes.join(" or "))
        } else if logged_in {
            "it does not accept this user and password".to_owned()
        } else {
            "it wants a user and a password".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_come_in_pieces() {
        let whole = b"HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n";
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), Ok(None), "{length}");
        }
        let answer = parse(whole).unwrap().unwrap();
        assert_eq!(
            (answer.status, answer.line.as_str(), answer.complete),
            (200, "200 Connection established", true)
        );
        assert!(!parse(&[&whole[..], b"x"].concat()).unwrap().unwrap().complete);
        assert!(parse(b"SSH-2.0-OpenSSH").unwrap_err().contains("no HTTP"));
    }

    #[test]
    fn a_login_that_is_wanted_is_told_by_its_name() {
        let asked = |fields: &str, logged_in| {
            let head = format!("HTTP/1.1 407 X\r\n{fields}\r\n");
            parse(head.as_bytes()).unwrap().unwrap().challenge(logged_in)
        };
        assert!(asked("", false).contains("wants a user"));
        let both = "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"a\"\r\n";
        assert!(asked(both, true).contains("does not accept"));
        assert!(asked("proxy-authenticate: NTLM\r\n", true).contains("by NTLM"));
    }
}
