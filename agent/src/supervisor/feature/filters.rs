//! Topic filters of several features on one connection.

/// Those of `filters` that no other one covers. A server may deliver a message once for each filter that it fits, and
/// AWS counts subscriptions.
pub(super) fn fewest(mut filters: Vec<String>) -> Vec<String> {
    filters.sort();
    filters.dedup();
    let is_covered = |one: &String| filters.iter().any(|other| other != one && covers(other, one));
    filters.iter().filter(|one| !is_covered(one)).cloned().collect()
}

/// Whether every topic that fits `filter`, which may be one topic, fits `general` as well (MQTT 3.1.1, section 4.7). The
/// MQTT library's function of this kind fits no topic that begins with `$` to any filter.
pub(super) fn covers(general: &str, filter: &str) -> bool {
    // A wildcard at the beginning fits no topic that begins with `$` (section 4.7.2).
    if filter.starts_with('$') && general.starts_with(['#', '+']) {
        return false;
    }
    let (mut general, mut filter) = (general.split('/'), filter.split('/'));
    loop {
        match (general.next(), filter.next()) {
            // `a/#` fits `a`, too.
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_filter_covers_is_left_out() {
        let filters = ["gw/#", "gw/commands", "gw", "gw/+", "$aws/x", "other/+/a", "other/b/a", "gw/#"];
        let fewest = fewest(filters.map(str::to_owned).to_vec());
        assert_eq!(fewest, ["$aws/x", "gw/#", "other/+/a"]);
    }

    #[test]
    fn a_filter_that_fits_less_covers_nothing() {
        for (general, filter) in [
            ("+", "#"),
            ("a/+", "a/#"),
            ("a/+", "a"),
            ("a/b", "a/+"),
            ("#", "$aws/x"),
            ("+/x", "$aws/x"),
            ("a/+", "a/b/c"),
        ] {
            assert!(!covers(general, filter), "{general} {filter}");
        }
    }
}
