//! Parsing a line back into a typed event.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::payload::{AbTestAssignment, Payload, Purchase, Refund, Session, Share, TaskResult};
use super::properties::{CustomType, Properties};
use super::{Envelope, Event};
use crate::Reason;
use crate::registry::{self, ENVELOPE, Field, JsonType};
use crate::value::{
    Amount, Date, Letters, Text, Timestamp, parse_amount, parse_date, parse_rfc3339, parse_uuid,
};

/// The most characters of a value that a message shows.
const SHOWN_CHARACTERS: usize = 80;

/// The most levels of nesting, the line's object being the first: the loader's own limit.
const DEEPEST: usize = 128;

/// A line that is not an event of the contract, with the first violation that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseEventError {
    /// The kind of violation.
    pub reason: Reason,
    /// The field's path, like `properties.amount`; empty for the line as a whole.
    pub field: String,
    /// What was expected and what was found.
    pub message: String,
}

impl fmt::Display for ParseEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ParseEventError {}

/// The result of parsing a part of a line.
pub(super) type Result<T> = std::result::Result<T, ParseEventError>;

impl FromStr for Event {
    type Err = ParseEventError;

    /// Parses one line of JSON, without its ending. Fields that the contract does not know are skipped.
    ///
    /// The rules are those of the loader, except those of a day file: a line of any length and a time of any day are
    /// accepted. For files use the crate `event-parser`, which is many times faster and reports every violation.
    fn from_str(line: &str) -> Result<Event> {
        let members: Members<'_> = serde_json::from_str(line).map_err(|error| of_json(&error))?;
        check_values(line, 1)?;
        let object = Object { path: "", fields: &ENVELOPE, members };
        let event_type: Text<1, 128> = object.required("event_type", text)?;
        let envelope = Envelope::parse(&object)?;
        let payload = payload(&event_type, &envelope, &object)?;
        Ok(Event::new(envelope, payload))
    }
}

fn payload(event_type: &str, envelope: &Envelope, line: &Object<'_>) -> Result<Payload> {
    let properties =
        line.optional(
            "properties",
            |text| {
                if text.starts_with('{') { Ok(text) } else { Err(Reason::WrongType) }
            },
        )?;
    let text = properties.unwrap_or("{}");
    let Some((_, known)) = registry::event_type(event_type) else {
        let invalid = |message: String| line.error("properties", Reason::InvalidValue, message);
        // The line is JSON: what fails here is a value that a typed payload cannot hold, like the number 1e999.
        let members = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        return Ok(Payload::Custom {
            event_type: CustomType::new(event_type).map_err(|error| invalid(error.to_string()))?,
            properties: Properties::new(members).map_err(|error| invalid(error.to_string()))?,
        });
    };
    let members = serde_json::from_str(text).map_err(|error| of_json(&error))?;
    let object = Object { path: "properties.", fields: known.fields, members };
    Ok(match event_type {
        "purchase" => Payload::Purchase(Purchase::parse(&object)?),
        "refund" => Payload::Refund(Refund::parse(&object)?),
        "task_result" => Payload::TaskResult(TaskResult::parse(&object)?),
        "session" => {
            let session_id = envelope.session_id.clone().ok_or_else(|| {
                line.error("session_id", Reason::MissingField, "a session needs its session_id".into())
            })?;
            Payload::Session(Session::parse(session_id, &object)?)
        }
        "ab_test_assignment" => Payload::AbTestAssignment(AbTestAssignment::parse(&object)?),
        other => unreachable!("the registry has no event type {other}"),
    })
}

/// Checks what stepping over a value does not look at: that the escapes of all strings spell characters, and how deep
/// it is nested. `depth` is the levels around it and its own.
fn check_values(value: &str, depth: usize) -> Result<()> {
    let first = value.trim_start().as_bytes().first();
    if depth > DEEPEST && matches!(first, Some(b'{' | b'[')) {
        let message = format!("expected at most {DEEPEST} levels of nesting, found more");
        return Err(ParseEventError { reason: Reason::NestingTooDeep, field: String::new(), message });
    }
    match first {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(value).map_err(|error| of_json(&error))?;
            members.iter().try_for_each(|(_, member)| check_values(member.get(), depth + 1))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(value).map_err(|error| of_json(&error))?;
            elements.iter().try_for_each(|element| check_values(element.get(), depth + 1))
        }
        Some(b'"') => serde_json::from_str::<Cow<'_, str>>(value).map(drop).map_err(|error| of_json(&error)),
        _ => Ok(()),
    }
}

/// The members of an object in their order, repeated ones included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct ReadMembers;

        impl<'de> Visitor<'de> for ReadMembers {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(ReadMembers).map(Members)
    }
}

/// A key, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object of the contract.
pub(super) struct Object<'a> {
    /// What stands before its fields' names in paths.
    path: &'static str,
    fields: &'static [Field],
    members: Members<'a>,
}

impl<'a> Object<'a> {
    pub(super) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a str) -> std::result::Result<T, Reason>,
    ) -> Result<T> {
        self.optional(name, read)?.ok_or_else(|| {
            let message = format!("expected {}, found nothing", self.field(name).expected());
            self.error(name, Reason::MissingField, message)
        })
    }

    /// The value of a field by its JSON text; `None` where it is absent, `null`, or an empty optional string.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a str) -> std::result::Result<T, Reason>,
    ) -> Result<Option<T>> {
        let mut values = self.members.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.get());
        let Some(value) = values.next() else { return Ok(None) };
        let field = self.field(name);
        if values.next().is_some() {
            let message = "expected the field once, found it more than once in the same object".to_owned();
            return Err(self.error(name, Reason::DuplicateField, message));
        }
        let is_optional_string = !field.required && field.rule.json_type() == JsonType::String;
        if value == "null" || (is_optional_string && value == "\"\"") {
            return Ok(None);
        }
        read(value).map(Some).map_err(|reason| self.invalid(name, reason, value))
    }

    /// The error of a value, given by its JSON text.
    pub(super) fn invalid(&self, name: &str, reason: Reason, value: &str) -> ParseEventError {
        let shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        let expected = self.field(name).expected();
        self.error(name, reason, format!("expected {expected}, found {shown}{more}"))
    }

    fn field(&self, name: &str) -> &'static Field {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .expect("the registry has every field of the events")
    }

    pub(super) fn error(&self, name: &str, reason: Reason, message: String) -> ParseEventError {
        ParseEventError { reason, field: format!("{}{name}", self.path), message }
    }
}

fn of_json(error: &serde_json::Error) -> ParseEventError {
    let reason = if error.is_data() { Reason::NotAnObject } else { Reason::InvalidJson };
    ParseEventError { reason, field: String::new(), message: error.to_string() }
}

pub(super) fn uuid(text: &str) -> std::result::Result<u128, Reason> {
    parse_uuid(string(text)?.as_bytes())
}

fn string(text: &str) -> std::result::Result<String, Reason> {
    if !text.starts_with('"') {
        return Err(Reason::WrongType);
    }
    // A lone surrogate.
    serde_json::from_str(text).map_err(|_| Reason::InvalidJson)
}

pub(super) fn text<const MIN: usize, const MAX: usize>(
    text: &str,
) -> std::result::Result<Text<MIN, MAX>, Reason> {
    Text::new(string(text)?).map_err(|_| Reason::InvalidValue)
}

pub(super) fn letters<const N: usize>(text: &str) -> std::result::Result<Letters<N>, Reason> {
    string(text)?.parse().map_err(|_| Reason::InvalidValue)
}

pub(super) fn time(text: &str) -> std::result::Result<Timestamp, Reason> {
    Timestamp::from_millis(parse_rfc3339(string(text)?.as_bytes())?).map_err(|_| Reason::OutOfRange)
}

pub(super) fn date(text: &str) -> std::result::Result<Date, Reason> {
    parse_date(string(text)?.as_bytes()).map(Date::from_days)
}

pub(super) fn amount(text: &str) -> std::result::Result<Amount, Reason> {
    let parsed = match text.as_bytes() {
        [b'"', ..] => parse_amount(string(text)?.as_bytes()),
        number @ [b'-' | b'0'..=b'9', ..] => parse_amount(number),
        _ => Err(Reason::WrongType),
    };
    Amount::from_ten_thousandths(parsed?.cast_unsigned()).map_err(|_| Reason::OutOfRange)
}

pub(super) fn boolean(text: &str) -> std::result::Result<bool, Reason> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Reason::WrongType),
    }
}

pub(super) fn integer<T: TryFrom<i64>>(text: &str) -> std::result::Result<T, Reason> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::WrongType);
    }
    let value: i64 = text.parse().map_err(|_| Reason::OutOfRange)?;
    value.try_into().map_err(|_| Reason::OutOfRange)
}

pub(super) fn share(text: &str) -> std::result::Result<Share, Reason> {
    if !matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9')) {
        return Err(Reason::WrongType);
    }
    // Adding zero turns -0 into 0.
    let value = text.parse::<f64>().map_err(|_| Reason::OutOfRange)? + 0.0;
    Share::new(value).map_err(|_| Reason::OutOfRange)
}
