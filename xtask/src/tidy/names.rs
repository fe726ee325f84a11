//! What documentation names exists: files and folders, commands of `cargo xtask`, packages.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::read;
use crate::{COMMANDS, codegen};

/// The pages whose names are checked.
const PAGES: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"];

/// What a name ends with that is a file's.
const FILES: &[&str] =
    &[".rs", ".md", ".toml", ".sql", ".yml", ".py", ".txt", ".lock", ".in", ".json", ".csv"];

/// A line for each name that nothing has.
pub(super) fn check(root: &Path, tracked: &[String]) -> Result<Vec<String>> {
    let names = Names::of(root, tracked)?;
    let mut broken = Vec::new();
    for page in PAGES {
        for (number, line) in read(root, page)?.lines().enumerate() {
            let wrong = names.wrong_in(line, page);
            broken.extend(wrong.into_iter().map(|wrong| format!("{page}:{}: {wrong}", number + 1)));
        }
    }
    for path in tracked {
        // Not all files are text; those that are generated are.
        let Ok(text) = read(root, path) else { continue };
        let wrong = codegen::header(&text).map(|line| names.wrong_in(line, path)).unwrap_or_default();
        broken
            .extend(wrong.into_iter().map(|wrong| format!("{path}: {wrong}, in the generator of the file")));
    }
    Ok(broken)
}

/// All that may be named.
struct Names<'a> {
    /// Files and the folders they lie in, from the root.
    paths: BTreeSet<&'a str>,
    packages: BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn of(root: &Path, tracked: &'a [String]) -> Result<Names<'a>> {
        let folders = tracked.iter().flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end]));
        let paths = tracked.iter().map(String::as_str).chain(folders).collect();
        let mut packages = BTreeSet::new();
        for manifest in tracked.iter().filter(|path| path.ends_with("Cargo.toml")) {
            let text = read(root, manifest)?;
            let name = text.lines().find_map(|line| line.strip_prefix("name = "));
            packages.extend(name.map(|name| name.trim_matches('"').to_owned()));
        }
        Ok(Names { paths, packages })
    }

    /// What a line names that there is not.
    fn wrong_in(&self, line: &str, page: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for target in links(line).filter(|target| !self.is_path_from(target, page)) {
            wrong.push(format!("links to {target}, which is not there: correct or remove the link"));
        }
        for name in words(line).filter(|word| looks_like_path(word) && !self.is_path(word)) {
            wrong.push(format!("names {name}, which is no file or folder here: correct or remove the name"));
        }
        wrong.extend(
            line.match_indices("cargo xtask ").filter_map(|(at, found)| command(&line[at + found.len()..])),
        );
        for (at, flag) in line.match_indices("cargo test -p ") {
            let package = word(&line[at + flag.len()..]);
            if package.chars().any(char::is_lowercase) && !self.packages.contains(package) {
                wrong.push(format!(
                    "names the package {package}, which the workspace has not: correct the name"
                ));
            }
        }
        wrong
    }

    /// Whether this is a path from the page's folder.
    fn is_path_from(&self, target: &str, page: &str) -> bool {
        let target = target.trim_end_matches('/');
        match page.rsplit_once('/') {
            Some((folder, _)) => self.paths.contains(format!("{folder}/{target}").as_str()),
            None => self.paths.contains(target),
        }
    }

    /// Whether this is a path from the root, or from a folder that the text around it speaks of.
    fn is_path(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        self.paths.iter().any(|path| {
            let starts = path.match_indices('/').map(|(at, slash)| at + slash.len());
            starts.chain([0]).any(|start| matches(name, &path[start..]))
        })
    }
}

/// Whether a path is as a pattern has it; `*` stands for any part of a name.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(path) = path.strip_prefix(head) else { return false };
    let name_end = path.find('/').unwrap_or(path.len());
    (0..=name_end).filter(|at| path.is_char_boundary(*at)).any(|at| matches(rest, &path[at..]))
}

/// The targets of a line's links that lead to a file.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

/// The words of a line's code spans, and those of headers of generated files, which have paths without backticks.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_header = codegen::header(line).is_some();
    let spans = line.split('`').enumerate().filter(move |(at, _)| is_header || at % 2 == 1);
    spans.flat_map(|(_, span)| span.split([' ', ';', ',', '"'])).map(|word| word.trim_end_matches('.'))
}

/// Whether a word is a path of this repository, if it is right: `a/b`, `a/`, `a.rs`.
fn looks_like_path(word: &str) -> bool {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./*".contains(c));
    // Flags, paths elsewhere, and the placeholders of commands.
    let is_other = word.starts_with(['-', '/', '.', '*']) || word.chars().any(|c| c.is_ascii_uppercase());
    let is_file = FILES.iter().any(|end| word.len() > end.len() && word.ends_with(end));
    is_plain && !is_other && (is_file || word.contains('/'))
}

/// What is wrong with the name of a command after `cargo xtask `, or with the first of its fixed arguments.
fn command(rest: &str) -> Option<String> {
    let name = word(rest);
    let placeholder = name.is_empty() || name.chars().any(char::is_uppercase);
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return (!placeholder).then(|| {
            format!("names `cargo xtask {name}`, which is no command: `cargo xtask help` lists them")
        });
    };
    let argument = word(rest[name.len()..].trim_start());
    // Arguments as `a|b|c`: one of them.
    let (alternatives, _) = command.arguments.split_once(' ').unwrap_or((command.arguments, ""));
    let is_fixed = alternatives.contains('|') && alternatives.chars().all(|c| c.is_lowercase() || c == '|');
    let is_known = alternatives.split('|').any(|known| known == argument);
    (is_fixed && !argument.is_empty() && rest[name.len()..].starts_with(' ') && !is_known).then(|| {
        format!("names `cargo xtask {name} {argument}`, but the arguments are {}", command.arguments)
    })
}

/// The first word: up to anything that a name does not have.
fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
