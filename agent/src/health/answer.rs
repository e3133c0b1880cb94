//! What a request is answered.

use std::borrow::Cow;
use std::net::IpAddr;

use super::http::{Request, Response};
use super::{Monitor, metrics};

/// The page, with its style and script inside.
const PAGE: &str = include_str!("page.html");
/// In the page, where the nonce stands that lets style and script run.
const NONCE: &str = "{nonce}";
const TEXT: &str = "text/plain; charset=utf-8";

/// Knows the answers.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) monitor: Monitor,
    /// Host names by which the status may be asked for, beside those of the loopback interface.
    pub(super) hosts: Vec<String>,
}

/// How the request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A web browser may have been led here by another site, whose name then stands in `Host`.
    Port,
    /// No browser opens it.
    Socket,
}

impl Desk {
    pub(super) fn answer(&self, request: &Request, way: Way) -> Response {
        let (authority, path) = request.target();
        if way == Way::Port
            && let Err((code, problem)) = self.check_host(request, authority)
        {
            return text(code, problem);
        }
        if !matches!(path, "/" | "/status" | "/metrics") {
            return text("404 Not Found", "There are /, /status and /metrics.\n");
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return text("405 Method Not Allowed", "Only GET and HEAD.\n").with("Allow", "GET, HEAD");
        }
        match path {
            "/" => page(),
            "/metrics" => {
                Response::new("200 OK", metrics::CONTENT_TYPE, metrics::text(&self.monitor.status()))
            }
            _ => {
                // Numbers, texts and fixed keys: nothing of it can fail to be written.
                let json = serde_json::to_string(&self.monitor.status()).unwrap_or_default();
                Response::new("200 OK", "application/json", json)
            }
        }
    }

    /// Against DNS rebinding: a site whose name suddenly leads to this machine is told apart by that name.
    fn check_host(
        &self,
        request: &Request,
        authority: Option<&str>,
    ) -> Result<(), (&'static str, &'static str)> {
        let [host] = request.hosts.as_slice() else {
            return Err(("400 Bad Request", "The request needs one Host header.\n"));
        };
        if self.is_ours(host) && authority.is_none_or(|name| self.is_ours(name)) {
            return Ok(());
        }
        let problem = "Ask for localhost, or add this name to `hosts` in [status] of agent.toml.\n";
        Err(("421 Misdirected Request", problem))
    }

    /// Whether `host` (with or without a port) is this machine's.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
            None => host.split_once(':').map_or(host, |(name, _)| name),
        };
        let name = name.trim_end_matches('.');
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

/// Its style and script are named by a word that nobody can know before; nothing else may run, and nothing may be
/// fetched but from here.
fn page() -> Response {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return text("503 Service Unavailable", "No random numbers on this machine yet.\n");
    }
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Response::new("200 OK", "text/html; charset=utf-8", PAGE.replace(NONCE, &nonce))
        .with("Content-Security-Policy", policy)
}

fn text(status: &'static str, text: impl Into<Cow<'static, str>>) -> Response {
    Response::new(status, TEXT, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, target: &str, hosts: &[&str], way: Way) -> Response {
        let desk = Desk { monitor: Monitor::new(), hosts: vec!["Gateway.example".to_owned()] };
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        desk.answer(&Request { method: method.to_owned(), target: target.to_owned(), hosts }, way)
    }

    fn code(method: &str, target: &str, hosts: &[&str], way: Way) -> u16 {
        answer(method, target, hosts, way).status.split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn names_of_this_machine_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8608",
            "localhost.",
            "127.0.0.1:80",
            "127.8.8.8",
            "[::1]:8608",
            "[::1]",
            "gateway.example:1",
        ] {
            assert_eq!(code("GET", "/status", &[host], Way::Port), 200, "{host}");
        }
    }

    #[test]
    fn a_site_that_leads_its_name_here_gets_nothing() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8608",
            "192.0.2.1",
            "",
            "[::1",
            "127.0.0.1.evil.example",
        ] {
            assert_eq!(code("GET", "/status", &[host], Way::Port), 421, "{host}");
            assert_eq!(code("GET", "/status", &[host], Way::Socket), 200, "{host}");
        }
        assert_eq!(code("GET", "/status", &[], Way::Port), 400);
        assert_eq!(code("GET", "/status", &["localhost", "evil.example"], Way::Port), 400);
        assert_eq!(code("GET", "http://evil.example/status", &["localhost"], Way::Port), 421);
    }

    #[test]
    fn there_is_nothing_else_and_nothing_to_change() {
        assert_eq!(code("GET", "/etc/passwd", &["localhost"], Way::Port), 404);
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "anything"] {
            assert_eq!(code(method, "/status", &["localhost"], Way::Port), 405, "{method}");
        }
        assert_eq!(code("HEAD", "/?from=bookmark", &["localhost"], Way::Port), 200);
    }

    #[test]
    fn the_page_may_load_nothing_from_elsewhere() {
        let policy = |page: Response| {
            let header = page.headers.into_iter().find(|(name, _)| *name == "Content-Security-Policy");
            header.unwrap().1.into_owned()
        };
        let [one, other] = [(); 2].map(|()| policy(answer("GET", "/", &["localhost"], Way::Port)));
        assert!(one.starts_with("default-src 'none'; script-src 'nonce-"), "{one}");
        assert_ne!(one, other, "a nonce is used once");
        // Everything is inside: no address stands in the page, but for names of XML.
        for (place, _) in PAGE.match_indices("//") {
            let before = &PAGE[..place];
            assert!(
                !before.ends_with("http:") && !before.ends_with("https:"),
                "{}",
                &PAGE[place - 20..place + 20]
            );
        }
        assert!(PAGE.matches(NONCE).count() >= 2);
    }
}
