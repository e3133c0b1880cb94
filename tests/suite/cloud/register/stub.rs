//! A server that answers each request in the same way, such as AWS does when it refuses.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// An answer: HTTP status, headers, body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Answer {
    /// An error as the control API has it: a code in a header, a message in JSON.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "message": message }).to_string();
        let headers =
            [("content-type", "application/json".to_owned()), ("x-amzn-errortype", code.to_owned())];
        Self { status, headers: headers.into(), body }
    }

    /// The same, from a server whose clock says this.
    pub(super) fn at(mut self, date: &str) -> Self {
        self.headers.push(("date", date.to_owned()));
        self
    }

    /// A page for people.
    pub(super) fn page(status: u16) -> Self {
        let headers = vec![("content-type", "text/html".to_owned())];
        Self { status, headers, body: "<html>This is no AWS</html>".to_owned() }
    }
}

/// Answers everybody so until the tests end; returns the address.
pub(super) fn serve(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A client that goes away is no matter of the test's.
            thread::spawn(move || drop(talk(stream, &answer)));
        }
    });
    url
}

fn talk(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        reader.read_exact(&mut vec![0; length])?;
        let Answer { status, headers, body } = answer;
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "HTTP/1.1 {status} -\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())?;
    }
}
