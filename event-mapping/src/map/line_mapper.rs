//! Events straight into the parser's columns.

use event_parser::Violation;
use event_parser::mapped::{EventBuilder, FieldId, FieldValue as ParserValue, LineMapper, SourceLine};
use event_schema::Reason;

use super::{Mapper, Origin, Sink, Value};
use crate::compile::{FieldValue, PROPERTIES};

/// The bits of a tag that are the rule's number; the others are the element's.
const RULE_BITS: u32 = 12;
/// The last element whose number is kept: those after it share it.
const LAST_ELEMENT: u32 = (1 << (u32::BITS - RULE_BITS)) - 1;

impl LineMapper for Mapper {
    fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation> {
        let properties = FieldId::envelope(PROPERTIES).expect("the contract has it");
        Mapper::map(self, line.text, &mut Events { events, properties })
    }

    fn explain(&mut self, line: SourceLine<'_>, tag: u32, violation: &mut Violation) {
        let origin = Origin { rule: tag & ((1 << RULE_BITS) - 1), element: tag >> RULE_BITS };
        Mapper::explain(self, line.text, origin, violation);
    }
}

/// The parser's builder as a sink.
struct Events<'a, 'b> {
    events: &'a mut EventBuilder<'b>,
    properties: FieldId,
}

impl<'a> From<Value<'a>> for ParserValue<'a> {
    fn from(value: Value<'a>) -> ParserValue<'a> {
        match value {
            Value::Null => ParserValue::Null,
            Value::Boolean(value) => ParserValue::Bool(value),
            Value::Number(text) => ParserValue::Number(text),
            Value::Text(text) => ParserValue::String(text),
            Value::Object(text) => ParserValue::Object(text),
            Value::Array(_) => ParserValue::Array,
        }
    }
}

impl Sink for Events<'_, '_> {
    fn begin(&mut self, origin: Origin) {
        self.events.begin(origin.element.min(LAST_ELEMENT) << RULE_BITS | origin.rule);
    }

    fn set(&mut self, field: &FieldValue, value: Value<'_>) {
        self.events.set(field.id, value.into());
    }

    fn set_properties(&mut self, value: Value<'_>) {
        self.events.set(self.properties, value.into());
    }

    fn fail(&mut self, field: &FieldValue, reason: Reason, message: String) {
        self.events.fail(field.id, reason, message);
    }

    fn fail_properties(&mut self, reason: Reason, message: String) {
        self.events.fail(self.properties, reason, message);
    }

    fn keep(&mut self, in_payload: bool, key: &str, value: &str) {
        self.events.keep_unknown(in_payload, key, value);
    }

    fn end(&mut self) {
        self.events.end();
    }

    fn reject(&mut self, violation: Violation) {
        self.events.reject(violation);
    }
}
