//! TOML → a definition. Everything is looked at, and all faults are told at once, with file, line and column.
//!
//! - `table`: tables whose keys are taken one by one, so that what is left is unknown.
//! - `rules`: conditions and what becomes of a line.
//! - `expressions`: places and conversions.

mod expressions;
mod rules;
mod table;

#[cfg(test)]
mod tests;

use std::ops::Range;

use event_schema::DefinitionError;
use toml::de::{DeTable, DeValue};
use uuid::Uuid;

use crate::builtin;
use crate::definition::{Assignment, Definition, Input, Place, Rule, Span};
use table::Table;
pub(crate) use table::list;

/// Finds the text of a file that a mapping extends, by the name that stands there; an error says why there is none.
pub type FindFile<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

/// A value of the file and where it stands.
type Value<'i> = toml::Spanned<DeValue<'i>>;

/// The files of a mapping, and what is wrong in them.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    files: Vec<(String, String)>,
    found: Vec<(Span, String)>,
    /// Whether a whole file could not be read: what it says is not missing.
    pub(crate) is_incomplete: bool,
}

impl Faults {
    /// Notes a fault.
    pub(crate) fn add(&mut self, span: Span, message: impl Into<String>) {
        self.found.push((span, message.into()));
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The faults with their places, in the order of the files; `Ok` where there are none.
    pub(crate) fn into_result(mut self) -> Result<(), Vec<DefinitionError>> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(span, _)| (span.file, span.byte));
        self.found.dedup();
        let error = |(span, message): (Span, String)| {
            let (file, text) = &self.files[usize::from(span.file)];
            DefinitionError::at(file, text, span.byte as usize, message)
        };
        Err(self.found.into_iter().map(error).collect())
    }
}

/// The most files that a mapping extends, one by another.
const MOST_FILES: usize = 16;

/// What one file says; settings that it does not have are those of the file it extends.
#[derive(Default)]
struct File {
    name: Option<String>,
    namespace: Option<Uuid>,
    prefix: Option<bool>,
    each: Option<Place>,
    embedded: Option<Vec<Place>>,
    defaults: Vec<Assignment>,
    rules: Vec<Rule>,
}

/// Reads a mapping and what it extends. The definition is of no use where there are faults.
pub(crate) fn read(file: &str, text: &str, find: &mut FindFile<'_>) -> (Definition, Faults) {
    let mut faults = Faults::default();
    let read = read_file(file.to_owned(), text, find, &mut faults);
    let definition = Definition {
        name: read.name.unwrap_or_default(),
        namespace: read.namespace,
        input: Input {
            skip_prefix: read.prefix.unwrap_or_default(),
            each: read.each,
            embedded: read.embedded.unwrap_or_default(),
        },
        defaults: read.defaults,
        rules: read.rules,
    };
    (definition, faults)
}

fn read_file(file: String, text: &str, find: &mut FindFile<'_>, faults: &mut Faults) -> File {
    let number = faults.files.len() as u16;
    faults.files.push((file, text.to_owned()));
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file: number, faults };
    for error in &errors {
        reader.fault(error.span().unwrap_or_default(), format!("this is no TOML: {}", error.message()));
    }
    if !errors.is_empty() {
        faults.is_incomplete = true;
        return File::default();
    }
    let (read, extends) = reader.file(document.get_ref());
    let Some((name, span)) = extends else { return read };
    match base(&name, find, faults) {
        Ok((base_file, base_text)) => extend(read, read_file(base_file, &base_text, find, faults)),
        Err(message) => {
            faults.is_incomplete = true;
            faults.add(span, message);
            read
        }
    }
}

/// The name and text of what a mapping extends.
fn base(name: &str, find: &mut FindFile<'_>, faults: &Faults) -> Result<(String, String), String> {
    if let Some(text) = builtin::text(name) {
        return Ok((name.to_owned(), text.to_owned()));
    }
    if faults.files.iter().any(|(file, _)| file == name) || faults.files.len() >= MOST_FILES {
        return Err(format!("`{name}` extends this file in turn: a mapping cannot extend itself"));
    }
    let text = find(name).map_err(|error| {
        format!(
            "there is no mapping `{name}`: {error}; built in are {}",
            builtin::NAMES.map(|name| format!("`{name}`")).join(", ")
        )
    })?;
    Ok((name.to_owned(), text))
}

/// A file's settings over those that it extends: its rules come first, its defaults hold.
fn extend(own: File, base: File) -> File {
    let mut defaults = own.defaults;
    let others =
        base.defaults.into_iter().filter(|other| defaults.iter().all(|one| one.field != other.field));
    let others: Vec<_> = others.collect();
    defaults.extend(others);
    File {
        name: own.name.or(base.name),
        namespace: own.namespace.or(base.namespace),
        prefix: own.prefix.or(base.prefix),
        each: own.each.or(base.each),
        embedded: own.embedded.or(base.embedded),
        defaults,
        rules: own.rules.into_iter().chain(base.rules).collect(),
    }
}

/// Reads one file.
struct Reader<'a> {
    file: u16,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        Span { file: self.file, byte: range.start as u32 }
    }

    fn fault(&mut self, range: Range<usize>, message: impl Into<String>) {
        let span = self.span(&range);
        self.faults.add(span, message);
    }

    /// The file's settings, and what it extends.
    fn file(&mut self, document: &DeTable<'_>) -> (File, Option<(String, Span)>) {
        let mut file = File::default();
        let mut table = Table::new(document, 0..0);
        match table.take("version") {
            Some(version) if version.get_ref().as_integer().is_some_and(|number| number.as_str() == "1") => {}
            Some(version) => {
                self.fault(version.span(), "this Schoolbell reads mappings of version 1: `version = 1`");
            }
            None => self.fault(0..0, "the version is missing: `version = 1`"),
        }
        if let Some(name) = table.take("name") {
            file.name = self.text(name, "the mapping's name").inspect(|name| {
                if name.trim().is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
                    self.fault(table.span_of("name"), "a name has 1 to 64 bytes, and no control characters");
                }
            });
        } else {
            self.fault(0..0, "the name is missing: `name = \"acme\"`");
        }
        let extends = table.take("extends").and_then(|value| {
            let span = self.span(&value.span());
            Some((self.text(value, "a built-in mapping or a file beside this one")?, span))
        });
        if let Some(value) = table.take("namespace") {
            file.namespace = self.text(value, "a UUID").and_then(|text| {
                let parsed = Uuid::try_parse(&text).ok();
                if parsed.is_none() {
                    self.fault(value.span(), "the namespace of made ids is a UUID");
                }
                parsed
            });
        }
        if let Some(input) = table.take("input") {
            self.input(input, &mut file);
        }
        if let Some(defaults) = table.take("defaults")
            && let Some(mut fields) = self.table(defaults, "fields of the contract")
        {
            file.defaults = self.assignments(&mut fields);
        }
        if let Some(rules) = table.take("rule") {
            match rules.get_ref() {
                DeValue::Array(rules) => {
                    file.rules = rules.iter().filter_map(|rule| self.rule(rule)).collect();
                }
                _ => self.fault(rules.span(), "rules are written [[rule]]"),
            }
        }
        self.finish(&table, "a mapping");
        (file, extends)
    }

    fn input(&mut self, value: &Value<'_>, file: &mut File) {
        let Some(mut table) = self.table(value, "prefix, each, embedded") else { return };
        if let Some(prefix) = table.take("prefix") {
            match prefix.get_ref().as_str() {
                Some("skip") => file.prefix = Some(true),
                Some("error") => file.prefix = Some(false),
                _ => self.fault(prefix.span(), "prefix is \"skip\" or \"error\""),
            }
        }
        if let Some(each) = table.take("each") {
            file.each = self.pointer(each, "the place of an array");
        }
        if let Some(embedded) = table.take("embedded") {
            file.embedded = Some(match embedded.get_ref() {
                DeValue::Array(places) => places.iter().filter_map(|one| self.place(one)).collect(),
                _ => self.place(embedded).into_iter().collect(),
            });
        }
        self.finish(&table, "input");
    }

    /// A place without a selection, in the line itself.
    fn pointer(&mut self, value: &Value<'_>, what: &str) -> Option<Place> {
        let place = self.place(value)?;
        if place.is_around || place.selection.is_some() {
            self.fault(value.span(), format!("expected {what} in the line, like \"/data\""));
            return None;
        }
        Some(place)
    }
}
