//! A plain second reading of the contract, with `serde_json` and the registry's rules.

use event_schema::Reason;
use event_schema::registry::{self, ENTITIES, Field, JsonType, Rule};
use event_schema::value::{Date, Timestamp, check_text, parse_amount, parse_date, parse_rfc3339, parse_uuid};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The table that takes a line of a file of `batch_date`, or the reason why none does.
pub(crate) fn verdict(line: &[u8], batch_date: Date) -> Result<&'static str, Reason> {
    if line.len() > 1 << 20 {
        return Err(Reason::LineTooLong);
    }
    let text = std::str::from_utf8(line).map_err(|_| Reason::InvalidUtf8)?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let is_deep = error.to_string().contains("recursion limit");
        if is_deep { Reason::NestingTooDeep } else { Reason::InvalidJson }
    })?;
    if !value.is_object() {
        return Err(Reason::NotAnObject);
    }
    let members: Members = serde_json::from_str(text).expect("it is an object");
    let end = Timestamp::from_millis(batch_date.start_millis() + 2 * 86_400_000).expect("in range").millis();
    let known = value["event_type"].as_str().and_then(registry::event_type);
    for field in &registry::ENVELOPE {
        let is_required =
            field.required || known.is_some_and(|known| known.1.required_envelope.contains(&field.name));
        check(&members, &Field { required: is_required, ..*field }, end)?;
    }
    let Some((entity, event_type)) = known else { return Ok(ENTITIES[0].table) };
    let properties = members.get("properties").unwrap_or("{}");
    let properties: Members = serde_json::from_str(properties).expect("checked above");
    for field in event_type.fields {
        check(&properties, field, end)?;
    }
    if let Some(order) = event_type.order {
        // Dates, and times written alike, sort as text; other spellings of times are not compared here.
        let (earlier, later) = (properties.text(order.earlier), properties.text(order.later));
        if let (Some(earlier), Some(later)) = (earlier, later)
            && (earlier > later || earlier == later && !order.may_be_equal)
        {
            return Err(Reason::InvalidValue);
        }
    }
    Ok(entity.table)
}

fn check(members: &Members, field: &Field, end: i64) -> Result<(), Reason> {
    let missing = if field.required { Err(Reason::MissingField) } else { Ok(()) };
    match members.0.iter().filter(|(key, _)| key == field.name).count() {
        0 => return missing,
        1 => {}
        _ => return Err(Reason::DuplicateField),
    }
    let raw = members.get(field.name).expect("counted above");
    let value: Value = serde_json::from_str(raw).expect("part of valid JSON");
    if value.is_null() {
        return missing;
    }
    let is_integer = value.is_number() && !raw.contains(['.', 'e', 'E']);
    let is_right = match field.rule.json_type() {
        JsonType::String => value.is_string(),
        JsonType::Number => value.is_number(),
        JsonType::Integer => is_integer,
        JsonType::Boolean => value.is_boolean(),
        JsonType::Object => value.is_object(),
        JsonType::StringOrNumber => value.is_string() || value.is_number(),
    };
    if !is_right {
        return Err(Reason::WrongType);
    }
    let text = value.as_str().map_or(raw.as_bytes(), str::as_bytes);
    if text.is_empty() && !field.required {
        return Ok(());
    }
    if text.is_empty() && field.name == "session_id" {
        return missing;
    }
    let in_range = |is_in: bool| if is_in { Ok(()) } else { Err(Reason::OutOfRange) };
    match field.rule {
        Rule::Uuid => parse_uuid(text).map(|_| ()),
        Rule::Text { max } => {
            check_text(text, max)?;
            if text.is_empty() { Err(Reason::InvalidValue) } else { Ok(()) }
        }
        Rule::Letters(count) => {
            let is_right = text.len() == count && text.iter().all(u8::is_ascii_uppercase);
            if is_right { Ok(()) } else { Err(Reason::InvalidValue) }
        }
        Rule::EventTime => in_range((Timestamp::MIN_MILLIS..end).contains(&parse_rfc3339(text)?)),
        Rule::Time => {
            in_range((Timestamp::MIN_MILLIS..Timestamp::END_MILLIS).contains(&parse_rfc3339(text)?))
        }
        Rule::Date => parse_date(text).map(|_| ()),
        Rule::Amount => parse_amount(text).map(|_| ()),
        Rule::Integer { min, max } => {
            let number: i128 = raw.parse().expect("an integer");
            in_range((i128::from(min)..=i128::from(max)).contains(&number))
        }
        Rule::Share => in_range(value.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share))),
        Rule::Boolean | Rule::Object => Ok(()),
    }
}

/// An object's members as they stand, repeated keys and all.
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|member| member.0 == key).map(|member| member.1.get())
    }

    fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
