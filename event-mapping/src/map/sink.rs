//! What is done with events, as they are made.

use event_parser::Violation;
use event_schema::Reason;

use super::Origin;
use crate::compile::{FieldValue, Fixed};

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    /// A number as it stands.
    Number(&'a str),
    /// A string's text, unescaped.
    Text(&'a str),
    /// An object as it stands.
    Object(&'a str),
    /// An array as it stands.
    Array(&'a str),
}

impl<'a> From<&'a Fixed> for Value<'a> {
    fn from(fixed: &'a Fixed) -> Value<'a> {
        match fixed {
            Fixed::Text(text) => Value::Text(text),
            Fixed::Number(number) => Value::Number(number),
            Fixed::Boolean(value) => Value::Boolean(*value),
        }
    }
}

/// Takes events. Fields come in the contract's order, those of the envelope first.
pub(crate) trait Sink {
    /// An event begins.
    fn begin(&mut self, origin: Origin);
    /// A field has a value.
    fn set(&mut self, field: &FieldValue, value: Value<'_>);
    /// The payload stands in the source as it is.
    fn set_properties(&mut self, value: Value<'_>);
    /// A field has no value, for this reason.
    fn fail(&mut self, field: &FieldValue, reason: Reason, message: String);
    /// The payload cannot be read.
    fn fail_properties(&mut self, reason: Reason, message: String);
    /// A member that no field took: its key with quotes, and its value, as JSON.
    fn keep(&mut self, in_payload: bool, key: &str, value: &str);
    /// The event ends.
    fn end(&mut self);
    /// An element is rejected.
    fn reject(&mut self, violation: Violation);
}
