//! Rules: conditions, and the fields or the word that lines are dropped under.

use event_schema::registry::{ENTITIES, ENVELOPE};
use toml::de::DeValue;

use super::table::{Table, did_you_mean, list};
use super::{Reader, Value};
use crate::definition::{Assignment, Condition, Expression, Rule, Test, Then};

impl Reader<'_> {
    pub(super) fn rule(&mut self, value: &Value<'_>) -> Option<Rule> {
        let mut table = self.table(value, "conditions and fields")?;
        let span = self.span(&value.span());
        let when = match table.take("when").map(|when| (when, when.get_ref())) {
            None => Vec::new(),
            Some((_, DeValue::Array(conditions))) => {
                conditions.iter().filter_map(|condition| self.condition(condition)).collect()
            }
            Some((when, DeValue::Table(_))) => self.condition(when).into_iter().collect(),
            Some((when, _)) => {
                self.fault(
                    when.span(),
                    "expected a list of conditions, like [{ at = \"/type\", is = \"track\" }]",
                );
                Vec::new()
            }
        };
        let then = match table.take("drop") {
            Some(word) => {
                for (key, span, _) in table.rest() {
                    self.fault(
                        span,
                        format!("a rule that drops lines has no fields: leave out `{key}` or `drop`"),
                    );
                }
                Then::Drop(self.word(word)?)
            }
            None => Then::Event(self.assignments(&mut table)),
        };
        Some(Rule { when, then, span })
    }

    /// The word that dropped lines are counted under.
    fn word(&mut self, value: &Value<'_>) -> Option<String> {
        let word = self.text(value, "the word that dropped lines are counted under")?;
        if word.is_empty() || word.len() > 64 || word.chars().any(char::is_control) {
            self.fault(value.span(), "a word has 1 to 64 bytes, and no control characters");
        }
        Some(word)
    }

    /// The fields of a table whose other keys were taken.
    pub(super) fn assignments(&mut self, table: &mut Table<'_, '_>) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        for (key, span, value) in table.rest() {
            if !all_fields().any(|field| field == key) {
                let message = format!(
                    "the contract has no field `{key}`{}: it has {}",
                    did_you_mean(key, all_fields()),
                    list(all_fields())
                );
                self.fault(span, message);
                continue;
            }
            let expression =
                if key == "event_type" { self.event_type(value) } else { self.expression(value) };
            let span = self.span(&span);
            // The field is not missing: what is wrong with its value has been said.
            let value = expression.unwrap_or_else(|| Expression::unreadable(span));
            assignments.push(Assignment { field: key.to_owned(), value, span });
        }
        assignments
    }

    fn condition(&mut self, value: &Value<'_>) -> Option<Condition> {
        let mut table = self.table(value, "a place and what is to stand there")?;
        let span = self.span(&value.span());
        let at = self.selected_place(&mut table);
        let mut tests = Vec::new();
        for (name, test) in
            [("is", Test::Is as fn(Vec<_>) -> Test), ("is_not", Test::IsNot as fn(Vec<_>) -> Test)]
        {
            if let Some(value) = table.take(name) {
                let constants: Vec<_> = match value.get_ref() {
                    DeValue::Array(values) => values.iter().filter_map(|one| self.constant(one)).collect(),
                    _ => self.constant(value).into_iter().collect(),
                };
                if matches!(value.get_ref(), DeValue::Array(values) if values.is_empty()) {
                    self.fault(value.span(), format!("`{name}` has at least one value"));
                }
                tests.push(test(constants));
            }
        }
        if let Some(value) = table.take("exists") {
            match value.get_ref().as_bool() {
                Some(exists) => tests.push(Test::Exists(exists)),
                None => self.fault(value.span(), "exists is true or false"),
            }
        }
        for (name, test) in [
            ("starts_with", Test::StartsWith as fn(String) -> Test),
            ("ends_with", Test::EndsWith as fn(String) -> Test),
        ] {
            if let Some(value) = table.take(name) {
                tests.extend(self.text(value, "to compare with").map(test));
            }
        }
        if tests.len() > 1 {
            self.fault(table.span(), "a condition has one test: write several conditions");
        } else if tests.is_empty() && table.rest().is_empty() {
            self.fault(table.span(), "a condition has one of is, is_not, exists, starts_with, ends_with");
        }
        self.finish(&table, "a condition");
        Some(Condition { at: at?, test: tests.pop()?, span })
    }
}

/// The names of all fields of the contract: the envelope's, then those of payloads, each once.
fn all_fields() -> impl Iterator<Item = &'static str> {
    // Refunds have fields of purchases only (a test of the registry says so).
    let payloads = ENTITIES.into_iter().filter_map(|entity| entity.event_types.first());
    let payload_fields = payloads.flat_map(|event_type| event_type.fields);
    ENVELOPE.iter().chain(payload_fields).map(|field| field.name)
}
