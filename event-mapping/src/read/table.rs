//! Tables of the file, and the simple values in them.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Reader, Value};
use crate::definition::Constant;

/// A table whose known keys have been taken out.
pub(super) struct Table<'t, 'i> {
    entries: &'t DeTable<'i>,
    span: Range<usize>,
    taken: Vec<&'static str>,
}

impl<'t, 'i> Table<'t, 'i> {
    pub(super) fn new(entries: &'t DeTable<'i>, span: Range<usize>) -> Table<'t, 'i> {
        Table { entries, span, taken: Vec::new() }
    }

    /// Where it stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key that is allowed here.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'t Value<'i>> {
        self.taken.push(key);
        self.entries.get(key)
    }

    /// Where a key's value stands; the table, where it has none.
    pub(super) fn span_of(&self, key: &str) -> Range<usize> {
        self.entries.get(key).map_or_else(|| self.span(), toml::Spanned::span)
    }

    /// The entries whose keys have not been taken, in the order of the file.
    pub(super) fn rest(&self) -> Vec<(&'t str, Range<usize>, &'t Value<'i>)> {
        let mut rest: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, _)| !self.taken.contains(&key.get_ref().as_ref()))
            .map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
            .collect();
        rest.sort_by_key(|(_, span, _)| span.start);
        rest
    }
}

impl Reader<'_> {
    /// A value that is to be a table.
    pub(super) fn table<'t, 'i>(&mut self, value: &'t Value<'i>, of: &str) -> Option<Table<'t, 'i>> {
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table::new(entries, value.span())),
            _ => {
                self.fault(value.span(), format!("expected a table here, of {of}"));
                None
            }
        }
    }

    /// Notes every key that was not taken; `what` is the table.
    pub(super) fn finish(&mut self, table: &Table<'_, '_>, what: &str) {
        for (key, span, _) in table.rest() {
            let message = format!(
                "there is no `{key}` in {what}{}: it has {}",
                did_you_mean(key, table.taken.iter().copied()),
                list(table.taken.iter().copied())
            );
            self.fault(span, message);
        }
    }

    /// A value that is to be a text.
    pub(super) fn text(&mut self, value: &Value<'_>, what: &str) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.fault(value.span(), format!("expected a text here, {what}"));
        }
        text
    }

    /// A value that is to be a constant: a text, a number or a boolean.
    pub(super) fn constant(&mut self, value: &Value<'_>) -> Option<Constant> {
        let constant = match value.get_ref() {
            DeValue::String(text) => Some(Constant::Text(text.clone().into_owned())),
            DeValue::Boolean(value) => Some(Constant::Boolean(*value)),
            DeValue::Integer(_) => integer(value).map(Constant::Integer),
            DeValue::Float(number) => {
                number.as_str().parse().ok().filter(|number: &f64| number.is_finite()).map(Constant::Number)
            }
            _ => None,
        };
        if constant.is_none() {
            self.fault(value.span(), "expected a text, a number, true or false here");
        }
        constant
    }

    /// A table of constants, in the order of the file.
    pub(super) fn constants_by_name(
        &mut self,
        value: &Value<'_>,
        of: &str,
    ) -> Option<Vec<(String, Constant)>> {
        let table = self.table(value, of)?;
        let read: Vec<_> = table
            .rest()
            .into_iter()
            .map(|(key, _, value)| Some((key.to_owned(), self.constant(value)?)))
            .collect();
        if read.is_empty() {
            self.fault(value.span(), format!("this table is empty: expected {of}"));
            return None;
        }
        read.into_iter().collect()
    }
}

/// A value that is to be a whole number.
pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    match value.get_ref() {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// ` (did you mean …?)` where one of the names is much like what was written.
pub(super) fn did_you_mean<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> String {
    let closest = names
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .min()
        .filter(|(edits, name)| *edits <= name.len() / 3);
    closest.map_or_else(String::new, |(_, name)| format!(" (did you mean `{name}`?)"))
}

/// Names, joined for a message.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
