//! What Tab adds: verbs, options and their values, files.

use clap::{Arg, Command, CommandFactory, ValueHint};
use rustyline::{
    Context, Helper,
    completion::{Completer, FilenameCompleter, Pair},
    highlight::Highlighter,
    hint::Hinter,
    validate::Validator,
};

use crate::cli::Cli;

/// Knows what can be typed from the same definitions that read it.
pub(super) struct Completion {
    cli: Command,
    files: FilenameCompleter,
}

impl Completion {
    pub(super) fn new() -> Self {
        let mut cli = Cli::command();
        // So that options of the whole program appear at each verb.
        cli.build();
        Self { cli, files: FilenameCompleter::new() }
    }

    /// What may follow `words`, of which none is half typed, if the next one begins with `begin`.
    fn candidates(&self, words: &[&str], begin: &str) -> Candidates {
        let mut command = &self.cli;
        let mut option = None;
        for word in words {
            let long = word.strip_prefix("--");
            option = command.get_arguments().find(|arg| long.is_some() && arg.get_long() == long);
            if let Some(verb) = command.find_subcommand(word) {
                command = verb;
            }
        }
        if let Some(option) = option.filter(|option| option.get_action().takes_values()) {
            return values([option].into_iter());
        }
        if begin.starts_with('-') {
            let longs = command.get_arguments().filter_map(Arg::get_long);
            return Candidates::Words(longs.map(|long| format!("--{long}")).collect());
        }
        if command.has_subcommands() {
            let mut verbs: Vec<String> =
                command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
            if words.is_empty() {
                verbs.push("exit".into());
            }
            return Candidates::Words(verbs);
        }
        values(command.get_positionals())
    }
}

/// What Tab may add.
#[derive(Debug, PartialEq, Eq)]
enum Candidates {
    Words(Vec<String>),
    Files,
}

fn values<'a>(args: impl Iterator<Item = &'a Arg>) -> Candidates {
    let mut words = Vec::new();
    for arg in args {
        if matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath) {
            return Candidates::Files;
        }
        words.extend(arg.get_possible_values().iter().map(|value| value.get_name().to_owned()));
    }
    Candidates::Words(words)
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let begin = before.split([' ', '\t']).next_back().unwrap_or_default();
        let start = before.len() - begin.len();
        let words: Vec<&str> = before[..start].split_whitespace().collect();
        match self.candidates(&words, begin) {
            Candidates::Files => self.files.complete(line, position, context),
            Candidates::Words(words) => {
                let fitting = words.into_iter().filter(|word| word.starts_with(begin));
                let pairs = fitting.map(|word| Pair { replacement: word.clone() + " ", display: word });
                Ok((start, pairs.collect()))
            }
        }
    }
}

impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn offers(words: &[&str], begin: &str, wanted: &str) {
        match Completion::new().candidates(words, begin) {
            Candidates::Words(words) => assert!(words.iter().any(|word| word == wanted), "{words:?}"),
            Candidates::Files => panic!("files"),
        }
    }

    #[test]
    fn verbs_then_options_then_values() {
        offers(&[], "", "info");
        offers(&[], "", "help");
        offers(&["emulator"], "", "serve");
        offers(&["sign"], "--", "--format");
        offers(&["sign"], "--", "--device");
        offers(&["sign", "--format"], "", "base64");
        offers(&["cert"], "", "signer");
    }

    #[test]
    fn files_where_a_file_is_meant() {
        for words in [&["sign"][..], &["sign", "--slot", "2"], &["cert", "--out"]] {
            assert_eq!(Completion::new().candidates(words, ""), Candidates::Files, "{words:?}");
        }
    }
}
