//! A mapping tried out: what it makes of lines, as lines of the contract, and what it does not look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_parser::mapped::{EventBuilder, LineMapper, SourceLine};
use event_parser::{Batch, Options, Parser, Violation};

use super::{ContractLines, Mapper};
use crate::Mapping;

/// The most different members that are counted.
const MOST_MEMBERS: usize = 10_000;

/// Maps the lines of a [`MappedParser`](event_parser::mapped::MappedParser) to lines of the contract: those that the
/// contract accepts, and rejects for all others. The parser gets no events.
#[derive(Debug)]
pub struct Trial {
    mapper: Mapper,
    lines: ContractLines,
    /// Checks a contract line.
    checker: Parser,
    checked: Batch,
    accepted: Vec<u8>,
    count: u64,
    unseen: BTreeMap<String, u64>,
}

impl Trial {
    /// A trial of a mapping; `options` are those of the parser.
    pub fn new(mapping: Arc<Mapping>, options: Options) -> Trial {
        Trial {
            mapper: Mapper::new(mapping),
            lines: ContractLines::default(),
            checker: Parser::new("", options.with_batch_bytes(usize::MAX)),
            checked: Batch::default(),
            accepted: Vec::new(),
            count: 0,
            unseen: BTreeMap::new(),
        }
    }

    /// The contract lines since [`Trial::clear`], each with its `\n`.
    pub fn lines(&self) -> &[u8] {
        &self.accepted
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Forgets the lines.
    pub fn clear(&mut self) {
        self.accepted.clear();
        self.count = 0;
    }

    /// The mapper, with its counts.
    pub fn mapper(&self) -> &Mapper {
        &self.mapper
    }

    /// Members that no rule looks at, as places, with the number of their occurrences; the elements of arrays are `*`.
    pub fn unseen(&self) -> &BTreeMap<String, u64> {
        &self.unseen
    }

    fn note_unseen(&mut self, line: &str) {
        let unseen = &mut self.unseen;
        self.mapper.each_unseen(line, |member| {
            if let Some(count) = unseen.get_mut(member) {
                *count += 1;
            } else if unseen.len() < MOST_MEMBERS {
                unseen.insert(member.to_owned(), 1);
            }
        });
    }
}

impl LineMapper for Trial {
    fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation> {
        self.lines.clear();
        self.lines.map(&mut self.mapper, line.text)?;
        self.note_unseen(line.text);
        for violations in self.lines.rejected() {
            events.reject(violations[0].clone());
        }
        for (text, origin) in self.lines.each() {
            self.checked.clear();
            self.checker.push(text, &mut self.checked);
            match self.checked.rejects() {
                [] => {
                    self.accepted.extend_from_slice(text);
                    self.count += 1;
                }
                [reject, ..] => {
                    let mut violation = reject.first().clone();
                    self.mapper.explain(line.text, origin, &mut violation);
                    events.reject(violation);
                }
            }
        }
        Ok(())
    }
}

impl Mapper {
    /// Calls `found` with each member that no place of the mapping leads to; the line is the one that was mapped last.
    fn each_unseen(&self, line: &str, mut found: impl FnMut(&str)) {
        let skipped = if self.mapping.program().skip_prefix { line.find('{').unwrap_or(0) } else { 0 };
        let line = &line[skipped..];
        let entries = &self.walker.entries;
        let mut path = String::new();
        // The ends of the entries around, with the length of the path before them.
        let mut around: Vec<(u32, usize)> = Vec::new();
        for (at, entry) in entries.list.iter().enumerate() {
            while let Some((_, length)) = around.last().copied().filter(|(end, _)| *end <= at as u32) {
                path.truncate(length);
                around.pop();
            }
            let before = path.len();
            let key = entries.key(line, entry);
            if key.is_empty() {
                if at > 0 && entry.level == 0 {
                    path.push_str("/*");
                }
            } else {
                path.push('/');
                path.push_str(&key[1..key.len() - 1]);
            }
            if entry.node.is_none() && entry.next == at as u32 + 1 && at > 0 && !key.is_empty() {
                found(&path);
            }
            if entry.next > at as u32 + 1 {
                around.push((entry.next, before));
            } else {
                path.truncate(before);
            }
        }
    }
}
