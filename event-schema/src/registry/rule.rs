//! The rules for a field's value.

use std::fmt;

/// The JSON type of a field, with the name that JSON Schema has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// `"…"`
    String,
    /// Any number.
    Number,
    /// A number without a point and an exponent.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `{…}`
    Object,
    /// A string or a number.
    StringOrNumber,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonType::String => "string",
            JsonType::Number => "number",
            JsonType::Integer => "integer",
            JsonType::Boolean => "boolean",
            JsonType::Object => "object",
            JsonType::StringOrNumber => "string or number",
        })
    }
}

/// The rule for a field's value. The JSON type is checked first, then the form, then the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// A UUID in its hyphenated form.
    Uuid,
    /// At most `max` bytes without control characters; at least one where the field is required.
    Text {
        /// The most bytes of UTF-8.
        max: usize,
    },
    /// A code of so many letters A–Z.
    Letters(usize),
    /// An RFC 3339 time from 2000-01-01 and before the batch date + 2 days.
    EventTime,
    /// An RFC 3339 time from 2000-01-01 and before 2200-01-01.
    Time,
    /// A date from 1970-01-01 to 2149-06-06.
    Date,
    /// A decimal of up to 14 digits before and 4 after the point, not negative.
    Amount,
    /// `true` or `false`.
    Boolean,
    /// An integer from `min` to `max`.
    Integer {
        /// The least value.
        min: u32,
        /// The greatest value.
        max: u32,
    },
    /// A number from 0 to 1.
    Share,
    /// The payload.
    Object,
}

impl Rule {
    /// The JSON type that a value must have.
    pub const fn json_type(self) -> JsonType {
        match self {
            Rule::Uuid | Rule::Text { .. } | Rule::Letters(_) | Rule::EventTime | Rule::Time | Rule::Date => {
                JsonType::String
            }
            Rule::Amount => JsonType::StringOrNumber,
            Rule::Boolean => JsonType::Boolean,
            Rule::Integer { .. } => JsonType::Integer,
            Rule::Share => JsonType::Number,
            Rule::Object => JsonType::Object,
        }
    }

    /// The most bytes of a [`Rule::Text`].
    pub const fn max_bytes(self) -> usize {
        match self {
            Rule::Text { max } => max,
            _ => panic!("only a text has a length limit"),
        }
    }

    /// The number of letters of a [`Rule::Letters`].
    pub const fn letter_count(self) -> usize {
        match self {
            Rule::Letters(count) => count,
            _ => panic!("only a code has a number of letters"),
        }
    }

    /// The least and greatest value of a [`Rule::Integer`].
    pub const fn integer_range(self) -> (u32, u32) {
        match self {
            Rule::Integer { min, max } => (min, max),
            _ => panic!("only an integer has an integer range"),
        }
    }
}

impl fmt::Display for Rule {
    /// The rule in words, for messages and the reference page: `a UUID, like …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Uuid => f.write_str("a UUID, like 018f2c6e-7b1a-7c3d-9e4f-0123456789ab"),
            Rule::Text { max } => write!(f, "at most {max} bytes of text without control characters"),
            Rule::Letters(2) => f.write_str("two letters A-Z, like KZ"),
            Rule::Letters(3) => f.write_str("three letters A-Z, like USD"),
            Rule::Letters(count) => write!(f, "{count} letters A-Z"),
            Rule::EventTime => f.write_str(
                "an RFC 3339 time with an offset, like 2026-03-01T09:30:00.123Z, from 2000-01-01 and before \
                 the batch date + 2 days (UTC)",
            ),
            Rule::Time => f.write_str(
                "an RFC 3339 time with an offset, like 2026-03-01T09:30:00.123Z, from 2000-01-01 and before \
                 2200-01-01 (UTC)",
            ),
            Rule::Date => f.write_str("a date from 1970-01-01 to 2149-06-06, like 2026-03-01"),
            Rule::Amount => f.write_str(
                "an amount that is not negative, with 1 to 14 digits and at most 4 after a point, like \"9.99\"",
            ),
            Rule::Boolean => f.write_str("true or false"),
            Rule::Integer { min, max } => write!(f, "an integer from {min} to {max}"),
            Rule::Share => f.write_str("a number from 0 to 1"),
            Rule::Object => f.write_str("an object"),
        }
    }
}
