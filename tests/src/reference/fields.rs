//! The rules of single fields: how each kind of value is read, and what is wrong with it.

use std::ops::{Range, RangeInclusive};

use super::json::{Given, Members};
use super::{Value, Violations, calendar};

/// A value, or the reason why it is refused.
pub(super) type Read = Result<Value, &'static str>;

/// The fields of one object (the envelope or the payload), with a note of all that is wrong.
pub(super) struct Fields<'a> {
    /// The object's members.
    pub(super) members: &'a Members,
    /// What precedes a field's name in its path.
    pub(super) prefix: &'static str,
    /// Where violations are noted.
    pub(super) violations: &'a mut Violations,
}

/// What stands under a key.
enum Found {
    Nothing,
    Once(Given),
    Repeated,
}

impl Fields<'_> {
    /// Notes a violation of the named field.
    pub(super) fn refuse(&mut self, name: &str, reason: &'static str) {
        self.violations.push((reason, format!("{}{name}", self.prefix)));
    }

    fn find(&self, name: &str) -> Found {
        let all: Vec<_> = self.members.0.iter().filter(|member| member.key == name).collect();
        match all[..] {
            [] => Found::Nothing,
            [one] => Found::Once(Given::of(&one.value_text)),
            _ => Found::Repeated,
        }
    }

    /// Reads a field that must be there. `Null` where it is not, or is refused.
    pub(super) fn required(&mut self, name: &str, read: impl FnOnce(&Given) -> Read) -> Value {
        match self.find(name) {
            Found::Nothing | Found::Once(Given::Null) => self.noted(name, Err("missing_field")),
            Found::Once(given) => self.noted(name, read(&given)),
            Found::Repeated => self.noted(name, Err("duplicate_field")),
        }
    }

    /// Reads a field that may be absent. `Null` where it is, or is refused.
    pub(super) fn optional(&mut self, name: &str, read: impl FnOnce(&Given) -> Read) -> Value {
        match self.find(name) {
            Found::Nothing | Found::Once(Given::Null) => Value::Null,
            Found::Once(given) => self.noted(name, read(&given)),
            Found::Repeated => self.noted(name, Err("duplicate_field")),
        }
    }

    /// Reads a string field that may be absent or, which is the same, empty.
    pub(super) fn optional_string(&mut self, name: &str, read: impl FnOnce(&Given) -> Read) -> Value {
        self.optional(name, |given| match given {
            Given::Text(text) if text.is_empty() => Ok(Value::Null),
            given => read(given),
        })
    }

    /// Reads an optional string of at most so many bytes, empty where it is absent.
    pub(super) fn optional_text(&mut self, name: &str, max_bytes: usize) -> Value {
        or_empty(self.optional_string(name, text(1..=max_bytes)))
    }

    fn noted(&mut self, name: &str, read: Read) -> Value {
        read.unwrap_or_else(|reason| {
            self.refuse(name, reason);
            Value::Null
        })
    }
}

/// An absent string is stored as an empty one.
pub(super) fn or_empty(value: Value) -> Value {
    if value == Value::Null { Value::text("") } else { value }
}

/// A string whose content the rule accepts; `invalid_value` for one that it does not.
fn string(given: &Given, rule: impl FnOnce(&str) -> Option<Value>) -> Read {
    let Given::Text(text) = given else { return Err("wrong_type") };
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err("invalid_value");
    }
    rule(text).ok_or("invalid_value")
}

/// A string of so many bytes in UTF-8.
pub(super) fn text(bytes: RangeInclusive<usize>) -> impl FnOnce(&Given) -> Read {
    move |given| string(given, |text| bytes.contains(&text.len()).then(|| Value::text(text)))
}

/// A session's own `session_id`, where an empty one is as good as none.
pub(super) fn session_id(given: &Given) -> Read {
    match given {
        Given::Text(text) if text.is_empty() => Err("missing_field"),
        given => text(1..=256)(given),
    }
}

/// A UUID, stored in lower case.
pub(super) fn uuid(given: &Given) -> Read {
    string(given, |text| {
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        let hexadecimal = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        (lengths == [8, 4, 4, 4, 12] && hexadecimal).then(|| Value::text(text.to_ascii_lowercase()))
    })
}

/// So many capital letters A–Z.
pub(super) fn capitals(count: usize) -> impl FnOnce(&Given) -> Read {
    move |given| {
        string(given, |text| {
            let capitals = text.bytes().all(|byte| byte.is_ascii_uppercase());
            (text.len() == count && capitals).then(|| Value::text(text))
        })
    }
}

/// A time within a range, in milliseconds since 1970-01-01.
pub(super) fn time(range: Range<i64>) -> impl FnOnce(&Given) -> Read {
    move |given| {
        let value = string(given, |text| calendar::timestamp(text.as_bytes()).map(Value::Int))?;
        within(value, |ms| range.contains(&ms))
    }
}

/// A date that a subscription may begin or end on, in days since 1970-01-01.
pub(super) fn period_date(given: &Given) -> Read {
    let value = string(given, |text| calendar::date(text.as_bytes()).map(Value::Int))?;
    within(value, |days| calendar::period_range().contains(&days))
}

fn within(value: Value, range: impl FnOnce(i64) -> bool) -> Read {
    match value {
        Value::Int(number) if !range(number) => Err("out_of_range"),
        value => Ok(value),
    }
}

/// A truth value.
pub(super) fn boolean(given: &Given) -> Read {
    match given {
        Given::Bool(value) => Ok(Value::Bool(*value)),
        _ => Err("wrong_type"),
    }
}

/// A whole number within a range.
pub(super) fn integer(range: RangeInclusive<i64>) -> impl FnOnce(&Given) -> Read {
    move |given| {
        let Given::Number(text) = given else { return Err("wrong_type") };
        if !text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
            return Err("wrong_type");
        }
        // A number that not even 64 bits can hold is out of any range.
        text.parse().ok().filter(|value| range.contains(value)).map(Value::Int).ok_or("out_of_range")
    }
}

/// A number between 0 and 1, as the nearest 64-bit float (one that is too large for it reads as infinite).
pub(super) fn share(given: &Given) -> Read {
    let Given::Number(text) = given else { return Err("wrong_type") };
    let value: f64 = text.parse().expect("every JSON number reads as a float");
    if (0.0..=1.0).contains(&value) { Ok(Value::Float(value)) } else { Err("out_of_range") }
}

/// An amount of money: a number or a string of the same form, in 1/10000.
pub(super) fn amount(given: &Given) -> Read {
    let (Given::Text(text) | Given::Number(text)) = given else { return Err("wrong_type") };
    if text.starts_with('-') {
        return Err("out_of_range");
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if (1..=4).contains(&fraction.len()) => (whole, fraction),
        Some(_) => return Err("invalid_value"),
        None => (text.as_str(), ""),
    };
    let digits = format!("{whole}{fraction:0<4}");
    if !(1..=14).contains(&whole.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("invalid_value");
    }
    Ok(Value::Int(digits.parse().expect("18 digits fit into 64 bits")))
}
