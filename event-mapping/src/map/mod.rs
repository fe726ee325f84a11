//! Lines → events: the first rule that fits takes a line's values to the contract's fields.
//!
//! - `reading`: one line's entries, and where each place of the mapping is among them.
//! - `rules`: which rule fits.
//! - `values`: what a field's value is.
//! - `rest`: what no field took.
//! - `explain`: where in the source a value came from, for messages.
//! - `trial`: a mapping tried out on lines.
//! - `sink`: what is done with events: `line_mapper` gives them to the parser, `contract_line` writes them as lines.

mod contract_line;
mod explain;
mod line_mapper;
mod reading;
mod rest;
mod rules;
mod sink;
mod trial;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use event_parser::Violation;
use event_schema::Reason;

use crate::Mapping;
use crate::compile::{EventRule, Outcome, Program, Properties};
use crate::json::{Kind, Walker};
pub use contract_line::ContractLines;
use reading::{Reading, Slot, Slots};
pub(crate) use sink::{Sink, Value};
pub use trial::Trial;
use values::{Fault, Got, Texts};

/// Maps lines. Its memory is reused from line to line; once that has grown, lines that are accepted allocate nothing.
#[derive(Debug)]
pub struct Mapper {
    mapping: Arc<Mapping>,
    walker: Walker,
    /// Slots of the line around elements, and of the element that is mapped.
    around: Slots,
    slots: Slots,
    /// For each entry the number of the element that took it last.
    taken: Vec<u32>,
    texts: Texts,
    /// Lines or elements that each rule took.
    by_rule: Vec<u64>,
}

/// Which rule made an event, of which element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    pub(crate) rule: u32,
    pub(crate) element: u32,
}

impl Mapper {
    /// A mapper that has seen no line.
    pub fn new(mapping: Arc<Mapping>) -> Mapper {
        Mapper {
            by_rule: vec![0; mapping.program().rules.len()],
            mapping,
            walker: Walker::default(),
            around: Slots::default(),
            slots: Slots::default(),
            taken: Vec::new(),
            texts: Texts::default(),
        }
    }

    /// The mapping.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// How many lines, or elements of lines, each rule took, in the order of the rules.
    pub fn taken_by_rule(&self) -> &[u64] {
        &self.by_rule
    }

    /// How many lines, or elements of lines, were dropped, by the words of the rules.
    pub fn dropped(&self) -> BTreeMap<&str, u64> {
        let mut dropped = BTreeMap::new();
        for (rule, count) in self.mapping.program().rules.iter().zip(&self.by_rule) {
            if let (Outcome::Drop(word), 1..) = (&rule.outcome, *count) {
                *dropped.entry(word.as_str()).or_default() += count;
            }
        }
        dropped
    }

    /// Maps a line: valid UTF-8, not blank, without its ending.
    ///
    /// # Errors
    /// The line as a whole is rejected.
    pub(crate) fn map(&mut self, line: &str, sink: &mut impl Sink) -> Result<(), Violation> {
        let mapping = Arc::clone(&self.mapping);
        let program = mapping.program();
        let body = self.read(program, line)?;
        let Some(each) = &program.each else {
            self.slots.clear(program.trie.slots());
            Reading { line: body, entries: &self.walker.entries }.collect(&program.trie, 0, &mut self.slots);
            self.taken.clear();
            self.taken.resize(self.walker.entries.list.len(), 0);
            self.element(program, body, 0, 0, 1, sink);
            return Ok(());
        };
        let reading = Reading { line: body, entries: &self.walker.entries };
        self.around.clear(program.trie.slots());
        reading.collect(&program.trie, 0, &mut self.around);
        let array = match self.around.get(each.slot) {
            Slot::At(array) if reading.entries.list[array as usize].kind == Kind::Array => array,
            slot => return Err(no_array(each, &reading, slot)),
        };
        self.taken.clear();
        self.taken.resize(self.walker.entries.list.len(), 0);
        let (mut at, mut number) = (array + 1, 0);
        while at < self.walker.entries.list[array as usize].next {
            let entry = self.walker.entries.list[at as usize];
            if entry.kind == Kind::Object {
                self.slots.copy_from(&self.around);
                Reading { line: body, entries: &self.walker.entries }.collect(
                    &program.trie,
                    at,
                    &mut self.slots,
                );
                // Elements are kept with themselves, not with the line around them.
                self.taken[array as usize] = number + 1;
                self.element(program, body, at, number, number + 1, sink);
            } else {
                let found = Reading { line: body, entries: &self.walker.entries }.shown(at);
                let message = format!("expected an object at {}/{number}, found {found}", each.place);
                sink.reject(violation(Reason::NotAnObject, message));
            }
            at = entry.next;
            number += 1;
        }
        Ok(())
    }

    /// Walks through a line. Answers the line without what is skipped.
    fn read<'a>(&mut self, program: &Program, line: &'a str) -> Result<&'a str, Violation> {
        let skipped = if program.skip_prefix { line.find('{').unwrap_or(0) } else { 0 };
        let body = &line[skipped..];
        let is_read = self.walker.read(&program.trie, 0, body).is_ok();
        let may_be_array = program.each.as_ref().is_some_and(|each| each.place.steps.is_empty());
        let is_object = is_read && (may_be_array || self.walker.entries.list[0].kind == Kind::Object);
        if is_object { Ok(body) } else { Err(refusal(line, skipped)) }
    }

    /// Maps the element that an entry is; `generation` is not that of another element of the line.
    fn element(
        &mut self,
        program: &Program,
        line: &str,
        root: u32,
        element: u32,
        generation: u32,
        sink: &mut impl Sink,
    ) {
        let Mapper { walker, slots, taken, texts, by_rule, .. } = self;
        let reading = Reading { line, entries: &walker.entries };
        let Some(number) = rules::first_that_fits(program, &reading, slots, texts) else {
            sink.reject(violation(Reason::Unmapped, rules::unmapped(program, &reading, slots)));
            return;
        };
        by_rule[number] += 1;
        let Outcome::Event(rule) = &program.rules[number].outcome else { return };
        let mut event = Event { program, rule, reading, slots, taken, generation, texts, root, element };
        sink.begin(Origin { rule: number as u32, element });
        event.write(sink);
        sink.end();
    }
}

/// An event that is made of an element.
struct Event<'a> {
    program: &'a Program,
    rule: &'a EventRule,
    reading: Reading<'a>,
    slots: &'a Slots,
    taken: &'a mut Vec<u32>,
    generation: u32,
    texts: &'a mut Texts,
    /// The element's entry, and its number among the line's.
    root: u32,
    element: u32,
}

impl<'a> Event<'a> {
    fn write(&mut self, sink: &mut impl Sink) {
        let rule = self.rule;
        for field in &rule.envelope {
            self.field(field, sink);
        }
        let payload = match &rule.properties {
            Properties::Rest => {
                let mut rest = std::mem::take(&mut self.texts.kept);
                rest.clear();
                if !self.write_object(self.root, &mut rest) {
                    rest.push_str("{}");
                }
                sink.set_properties(Value::Object(&rest));
                self.texts.kept = rest;
                self.keep_around(sink);
                return;
            }
            Properties::At(located) => match self.slots.get(located.slot) {
                Slot::Twice => {
                    let message =
                        "expected the field once, found it more than once in the same object".to_owned();
                    sink.fail_properties(Reason::DuplicateField, message);
                    None
                }
                Slot::Empty => None,
                Slot::At(entry) => {
                    let is_object = self.reading.entries.list[entry as usize].kind == Kind::Object;
                    let is_null = self.reading.entries.list[entry as usize].kind == Kind::Null;
                    self.take(entry);
                    if rule.event_type.is_none() || !(is_object || is_null) {
                        let value = self.reading.as_it_stands(entry, &mut self.texts.input);
                        sink.set_properties(value);
                    }
                    if rule.event_type.is_some() && !is_object && !is_null {
                        // It is no payload: nothing is read from it.
                        self.keep_rest(None, sink);
                        return;
                    }
                    (rule.event_type.is_some() && is_object).then_some(entry)
                }
            },
            Properties::Default(slot) => match self.slots.get(*slot) {
                Slot::At(entry) if self.reading.entries.list[entry as usize].kind == Kind::Object => {
                    self.take(entry);
                    Some(entry)
                }
                _ => None,
            },
        };
        if !(matches!(rule.properties, Properties::At(ref at) if self.slots.get(at.slot) == Slot::Twice)) {
            for field in &rule.payload {
                self.field(field, sink);
            }
        }
        self.keep_rest(payload, sink);
    }

    /// Gives a field its value.
    fn field(&mut self, field: &'a crate::compile::FieldValue, sink: &mut impl Sink) {
        match self.evaluate(&field.value) {
            Ok(Got::Absent) => {}
            Ok(Got::Empty(entry)) => {
                let value = if field.value.shows_what_is_empty(field.field) {
                    self.reading.as_it_stands(entry, &mut self.texts.input)
                } else {
                    Value::Null
                };
                sink.set(field, value);
            }
            Ok(Got::Entry(entry)) => {
                sink.set(field, self.reading.as_it_stands(entry, &mut self.texts.input));
            }
            Ok(Got::Text) => sink.set(field, Value::Text(&self.texts.made)),
            Ok(Got::Number) => sink.set(field, Value::Number(&self.texts.made)),
            Ok(Got::Boolean(value)) => sink.set(field, Value::Boolean(value)),
            Ok(Got::Fixed(fixed)) => sink.set(field, fixed.into()),
            Err(Fault::Twice) => {
                let message =
                    "expected the field once, found it more than once in the same object".to_owned();
                sink.fail(field, Reason::DuplicateField, message);
            }
            Err(Fault::Failed(source)) => {
                sink.fail(field, Reason::InvalidValue, self.failure(source));
            }
        }
    }

    fn take(&mut self, entry: u32) {
        self.taken[entry as usize] = self.generation;
    }

    fn is_taken(&self, entry: u32) -> bool {
        self.taken[entry as usize] == self.generation
    }
}

/// A violation of a line or element as a whole.
fn violation(reason: Reason, message: String) -> Violation {
    Violation::of_line(reason, message)
}

/// Why a line has no array of events.
#[cold]
fn no_array(each: &crate::compile::Each, reading: &Reading<'_>, slot: Slot) -> Violation {
    let found = match slot {
        Slot::Empty => "nothing".to_owned(),
        Slot::Twice => "it more than once".to_owned(),
        Slot::At(entry) => reading.shown(entry),
    };
    violation(Reason::Unmapped, format!("expected an array of events at `{}`, found {found}", each.place))
}

/// Why the strict grammar refuses a line, whose first `skipped` bytes mean nothing.
#[cold]
fn refusal(line: &str, skipped: usize) -> Violation {
    // Blanks in place of what was skipped: columns stay those of the source.
    let blanked = " ".repeat(skipped) + &line[skipped..];
    event_parser::mapped::check_json(&blanked)
        .err()
        .unwrap_or_else(|| violation(Reason::InvalidJson, "expected JSON (RFC 8259) on one line".to_owned()))
}
