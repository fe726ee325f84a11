//! A parser of one source, with a mapping or without.

use std::sync::Arc;

use event_parser::mapped::MappedParser;
use event_parser::{Batch, Options, ParseStats, Parser};

use crate::{Mapper, Mapping};

/// Parses one source: lines of the contract, or lines that a mapping makes events of.
#[derive(Debug)]
pub struct SourceParser(Kind);

#[derive(Debug)]
enum Kind {
    Contract(Box<Parser>),
    Mapped(Box<MappedParser<Mapper>>),
}

impl SourceParser {
    /// A parser for the source of that name.
    pub fn new(source: &str, options: Options, mapping: Option<&Arc<Mapping>>) -> SourceParser {
        SourceParser(match mapping {
            None => Kind::Contract(Box::new(Parser::new(source, options))),
            Some(mapping) => {
                Kind::Mapped(Box::new(MappedParser::new(source, options, Mapper::new(Arc::clone(mapping)))))
            }
        })
    }

    /// See [`Parser::seek`].
    pub fn seek(&mut self, line: u64, byte_offset: u64) {
        match &mut self.0 {
            Kind::Contract(parser) => parser.seek(line, byte_offset),
            Kind::Mapped(parser) => parser.seek(line, byte_offset),
        }
    }

    /// See [`Parser::push`].
    pub fn push(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        match &mut self.0 {
            Kind::Contract(parser) => parser.push(bytes, batch),
            Kind::Mapped(parser) => parser.push(bytes, batch),
        }
    }

    /// See [`Parser::finish`].
    pub fn finish(&mut self, batch: &mut Batch) {
        match &mut self.0 {
            Kind::Contract(parser) => parser.finish(batch),
            Kind::Mapped(parser) => parser.finish(batch),
        }
    }

    /// What maps the lines, if something does.
    pub fn mapper(&self) -> Option<&Mapper> {
        match &self.0 {
            Kind::Contract(_) => None,
            Kind::Mapped(parser) => Some(parser.mapper()),
        }
    }

    /// Adds what was dropped of the source so far to the figures: to be called once, at its end.
    pub fn add_dropped_to(&self, stats: &mut ParseStats) {
        for (word, lines) in self.mapper().map(Mapper::dropped).unwrap_or_default() {
            stats.add_dropped(word, lines);
        }
    }
}
