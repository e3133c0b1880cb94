//! HTTP/1.1 (RFC 9112) as far as a status needs it: a request without a body, an answer, and the connection is closed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// What a request may take in memory.
const REQUEST_BYTES: usize = 16 * 1024;
const REQUEST_HEADERS: usize = 64;
/// How long a visitor may take to hang up when it has its answer.
const GOODBYE: Duration = Duration::from_secs(1);

/// What every answer says: no other site may use it, nothing is kept, and no type is guessed.
const HEADERS: &str = "Cache-Control: no-store\r\nConnection: close\r\nCross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n";

/// A request, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// As it was sent, see [`Request::target`].
    pub(super) target: String,
    /// The values of all `Host` headers.
    pub(super) hosts: Vec<String>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    /// Code and reason.
    pub(super) status: &'static str,
    pub(super) headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, str>,
}

impl Request {
    /// Reads a request up to its empty line. What is none is to be answered with the status that is the inner error.
    pub(super) async fn read(
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Result<Self, &'static str>> {
        let mut bytes = Vec::new();
        loop {
            match Self::parse(&bytes) {
                Ok(Some(request)) => return Ok(Ok(request)),
                Err(refusal) => return Ok(Err(refusal)),
                Ok(None) if bytes.len() >= REQUEST_BYTES => {
                    return Ok(Err("431 Request Header Fields Too Large"));
                }
                Ok(None) => {}
            }
            let mut part = [0; 2048];
            let room = part.len().min(REQUEST_BYTES - bytes.len());
            match stream.read(&mut part[..room]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => bytes.extend_from_slice(&part[..length]),
            }
        }
    }

    /// `None`: there is more to come.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        let mut headers = [httparse::EMPTY_HEADER; REQUEST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Partial) => return Ok(None),
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => return Err("431 Request Header Fields Too Large"),
            Err(_) => return Err("400 Bad Request"),
        }
        let hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        let hosts = hosts.map(|header| String::from_utf8_lossy(header.value).trim().to_owned()).collect();
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err("400 Bad Request");
        };
        Ok(Some(Self { method: method.to_owned(), target: target.to_owned(), hosts }))
    }

    /// The host, if the target has one (RFC 9112, section 3.2.2), and the path without a query.
    pub(super) fn target(&self) -> (Option<&str>, &str) {
        let (authority, rest) = match self.target.strip_prefix("http://") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                (Some(authority), if path.is_empty() { "/" } else { path })
            }
            None => (None, self.target.as_str()),
        };
        (authority, rest.split('?').next().unwrap_or_default())
    }
}

impl Response {
    pub(super) fn new(
        status: &'static str,
        content_type: &'static str,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.into())], body: body.into() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes it, without the body if only the head was asked for, and hangs up.
    pub(super) async fn write(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        head_only: bool,
    ) -> io::Result<()> {
        let mut text =
            format!("HTTP/1.1 {}\r\n{HEADERS}Content-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text += "\r\n";
        if !head_only {
            text += &self.body;
        }
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // A socket that is closed with something unread in it would take the answer back (RFC 9112, section 9.6).
        let mut rest = [0; 2048];
        let _ =
            timeout(GOODBYE, async { while stream.read(&mut rest).await.is_ok_and(|length| length > 0) {} })
                .await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> io::Result<Result<Request, &'static str>> {
        Request::read(&mut bytes).await
    }

    #[tokio::test]
    async fn a_request_ends_with_its_empty_line() {
        let request = read(b"GET /status?a=1 HTTP/1.1\r\nhOST: localhost:1\r\nAccept: */*\r\n\r\nrest").await;
        let request = request.unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.target()), ("GET", (None, "/status")));
        assert_eq!(request.hosts, ["localhost:1"]);
        assert!(read(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.is_err());
    }

    #[test]
    fn a_target_may_name_its_host() {
        let request =
            |target: &str| Request { method: "GET".into(), target: target.into(), hosts: Vec::new() };
        assert_eq!(request("http://a.example:80/status?x").target(), (Some("a.example:80"), "/status"));
        assert_eq!(request("http://a.example").target(), (Some("a.example"), "/"));
        assert_eq!(request("*").target(), (None, "*"));
    }

    #[tokio::test]
    async fn what_is_too_long_or_no_request_is_refused() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(2 * REQUEST_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(REQUEST_HEADERS + 1));
        for (bytes, status) in [
            (long.as_bytes(), "431 Request Header Fields Too Large"),
            (many.as_bytes(), "431 Request Header Fields Too Large"),
            (b"\x16\x03\x01\x02\x00", "400 Bad Request"),
            (b"PRI * HTTP/2.0\r\n\r\n", "400 Bad Request"),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 Bad Request"),
        ] {
            assert_eq!(
                read(bytes).await.unwrap(),
                Err(status),
                "{}",
                String::from_utf8_lossy(&bytes[..9.min(bytes.len())])
            );
        }
    }
}
