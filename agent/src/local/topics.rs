//! Which topics go up to the cloud and come down from it, and under which names.

/// The map between local topics and those of the cloud: a prefix, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topics {
    /// Goes before a local topic in the cloud.
    pub prefix: String,
    /// Filters of local topics that go up; without any, all do.
    pub publish: Vec<String>,
    /// Filters of cloud topics that come down, as they are subscribed to.
    pub subscribe: Vec<String>,
}

impl Topics {
    /// The cloud's name of a local topic; `None`: it stays here.
    pub fn up(&self, local: &str) -> Option<String> {
        let goes =
            self.publish.is_empty() || self.publish.iter().any(|filter| rumqttc::matches(local, filter));
        goes.then(|| format!("{}{local}", self.prefix))
    }

    /// The local name of a cloud topic; `None`: it does not come down.
    pub fn down<'a>(&self, cloud: &'a str) -> Option<&'a str> {
        let comes = self.subscribe.iter().any(|filter| rumqttc::matches(cloud, filter));
        // Below another name it keeps its own.
        comes.then(|| cloud.strip_prefix(&self.prefix).unwrap_or(cloud))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_added_and_taken_off() {
        let topics = Topics {
            prefix: "gw/".to_owned(),
            publish: vec!["up/#".to_owned()],
            subscribe: vec!["gw/down/+".to_owned(), "all/news".to_owned()],
        };
        assert_eq!(topics.up("up/a").as_deref(), Some("gw/up/a"));
        assert_eq!(topics.up("here/a"), None);
        assert_eq!(topics.down("gw/down/a"), Some("down/a"));
        assert_eq!(topics.down("all/news"), Some("all/news"));
        assert_eq!(topics.down("gw/up/a"), None);
    }

    #[test]
    fn without_a_word_everything_goes_up_and_nothing_comes_down() {
        assert_eq!(Topics::default().up("a/b").as_deref(), Some("a/b"));
        assert_eq!(Topics::default().down("a/b"), None);
    }
}
