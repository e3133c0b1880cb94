//! `proxy = "environment"`: the variables that curl and others read.

use std::net::IpAddr;

use super::{Destination, Proxy};

/// The proxy that the environment names for `destination`: `https_proxy`, else `all_proxy`, unless `no_proxy` lists the
/// host; each in small letters or capitals. `variable` looks one up.
///
/// # Errors
/// When a variable is set to what is no proxy; the text names it, but not its value, which may hold a password.
pub fn proxy_of_environment(
    destination: &Destination,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, String> {
    let value = |name: &str| {
        let found = variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
        found.filter(|value| !value.is_empty())
    };
    if value("no_proxy").is_some_and(|list| is_listed(destination.host(), &list)) {
        return Ok(None);
    }
    for name in ["https_proxy", "all_proxy"] {
        if let Some(text) = value(name) {
            let proxy = text.parse().map_err(|problem| format!("the environment's {name}: {problem}"))?;
            return Ok(Some(proxy));
        }
    }
    Ok(None)
}

/// Whether `host` is in a list of names, which stand for what is below them, too, and addresses.
fn is_listed(host: &str, list: &str) -> bool {
    let host = host.to_ascii_lowercase();
    list.split([',', ' ']).map(str::trim).any(|entry| {
        let entry = entry.trim_start_matches('.').to_ascii_lowercase();
        let below = || host.strip_suffix(&entry).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        match (host.parse::<IpAddr>(), entry.trim_matches(['[', ']']).parse::<IpAddr>()) {
            _ if entry.is_empty() => false,
            _ if entry == "*" => true,
            (Ok(host), Ok(entry)) => host == entry,
            (Ok(_), Err(_)) => false,
            (Err(_), _) => below(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(host: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let found = proxy_of_environment(&Destination::new(host, 8883), variable)?;
        Ok(found.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_variables_in_their_order() {
        let (https, all) = (("HTTPS_PROXY", "http://h:1"), ("all_proxy", "socks5h://a:1"));
        assert_eq!(proxy("x", &[]), Ok(None));
        assert_eq!(proxy("x", &[all, https]), Ok(Some("http://h:1".to_owned())));
        assert_eq!(proxy("x", &[all, ("https_proxy", "")]), Ok(Some("socks5h://a:1".to_owned())));
        let error = proxy("x", &[("https_proxy", "u:s3cret@h")]).unwrap_err();
        assert!(error.contains("https_proxy") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn hosts_without_a_proxy() {
        let list = "localhost, .corp.test,amazonaws.test,192.0.2.1 [::1]";
        for (host, expected) in [
            ("localhost", true),
            ("a.corp.test", true),
            ("A1-ats.iot.Amazonaws.TEST", true),
            ("notamazonaws.test", false),
            ("192.0.2.1", true),
            ("1192.0.2.1", false),
            ("192.0.2.10", false),
            ("::1", true),
            ("example.org", false),
        ] {
            assert_eq!(is_listed(host, list), expected, "{host}");
        }
        assert!(is_listed("anything", "*") && !is_listed("anything", ""));
    }
}
