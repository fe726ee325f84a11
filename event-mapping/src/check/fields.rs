//! Fields: those that the event's type has, values that they can have, required ones.

use event_schema::registry::{ENTITIES, ENVELOPE, EventType, Field, Rule as FieldRule};
use event_schema::value::{check_text, is_upper_letters, parse_amount, parse_date, parse_uuid};

use crate::compile::{Fields, PROPERTIES};
use crate::convert::is_time;
use crate::definition::{Assignment, Constant, Conversion, Expression, Place, Rule};
use crate::read::{Faults, list};

/// Checks a field that every rule may have.
pub(super) fn check_default(default: &Assignment, faults: &mut Faults) {
    // A payload's field is the same in every type that has it (a test of the registry says so).
    let payloads = ENTITIES.into_iter().flat_map(|entity| entity.event_types).flat_map(|ty| ty.fields);
    if let Some(field) = ENVELOPE.iter().chain(payloads).find(|field| field.name == default.field) {
        check_value(field, &default.value, faults);
    }
}

/// Checks the fields of a rule that makes events.
pub(super) fn check_rule(rule: &Rule, own: &[Assignment], defaults: &[Assignment], faults: &mut Faults) {
    let fields = Fields::of(own, defaults);
    let type_is_unreadable = fields
        .envelope
        .iter()
        .any(|(field, given)| field.name == "event_type" && given.value.is_unreadable());
    let misplaced_fields = if type_is_unreadable { &[][..] } else { &fields.misplaced[..] };
    for assignment in misplaced_fields {
        faults.add(assignment.span, misplaced(&assignment.field, fields.event_type, own, defaults));
    }
    for (field, assignment) in fields.envelope.iter().chain(&fields.payload) {
        if own.iter().any(|one| std::ptr::eq(one, *assignment)) {
            check_value(field, &assignment.value, faults);
        }
    }
    let given = |field: &Field| {
        fields.envelope.iter().chain(&fields.payload).any(|(given, _)| given.name == field.name)
    };
    let needed = |field: &&Field| {
        field.required
            || fields.event_type.is_some_and(|event_type| event_type.required_envelope.contains(&field.name))
    };
    let payload = fields.event_type.map_or(&[][..], |event_type| event_type.fields);
    let missing: Vec<&str> = ENVELOPE
        .iter()
        .chain(payload)
        .filter(needed)
        .filter(|field| !given(field))
        .map(|field| field.name)
        .collect();
    if !missing.is_empty() {
        let (required, are) =
            if missing.len() == 1 { ("the required field", "is") } else { ("the required fields", "are") };
        let message = format!(
            "{required} {} {are} missing, in this rule and in [defaults]",
            list(missing.iter().copied())
        );
        faults.add(rule.span, message);
    }
}

/// Why a field stands in a rule wrongly.
fn misplaced(
    field: &str,
    event_type: Option<&'static EventType>,
    own: &[Assignment],
    defaults: &[Assignment],
) -> String {
    let owners = list(
        ENTITIES
            .into_iter()
            .flat_map(|entity| entity.event_types)
            .filter(|ty| ty.fields.iter().any(|known| known.name == field))
            .map(|ty| ty.name),
    );
    if let Some(event_type) = event_type {
        let has = list(event_type.fields.iter().map(|field| field.name));
        return format!("a `{}` has no field `{field}`: besides the envelope it has {has}", event_type.name);
    }
    let is_constant = own
        .iter()
        .chain(defaults)
        .find(|assignment| assignment.field == "event_type")
        .is_some_and(|assignment| matches!(assignment.value.conversion, Conversion::Value(_)));
    if is_constant {
        format!(
            "events of this type have no field `{field}`: it is one of {owners}; theirs stands in `properties`"
        )
    } else {
        format!("`{field}` is a field of {owners}: only a rule whose event_type is that has it")
    }
}

fn check_value(field: &Field, value: &Expression, faults: &mut Faults) {
    if value.is_unreadable() {
        return;
    }
    if field.rule == FieldRule::Object {
        let is_place = value.conversion == Conversion::Verbatim
            && value.otherwise.is_none()
            && matches!(&value.at[..], [Place { selection: None, .. }]);
        if !is_place {
            faults.add(value.span, format!("`{PROPERTIES}` is the place of an object, like \"/properties\""));
        }
        return;
    }
    for expression in value.alternatives() {
        if let Conversion::OneOf { table } = &expression.conversion {
            for (text, constant) in table {
                if let Err(expected) = check_constant(field, constant) {
                    faults.add(
                        expression.span,
                        format!("`{}` has for `{text}` the value {constant}: {expected}", field.name),
                    );
                }
            }
        } else if let Conversion::Value(constant) = &expression.conversion {
            if let Err(expected) = check_constant(field, constant) {
                faults.add(expression.span, format!("`{}` cannot be {constant}: {expected}", field.name));
            }
        } else if let Some(name) = expression.conversion.name()
            && !can_give(&expression.conversion, field.rule)
        {
            faults.add(
                expression.span,
                format!(
                    "`{name}` cannot give `{}` its value, {}: {}",
                    field.name,
                    field.expected(),
                    allowed(field.rule)
                ),
            );
        }
    }
}

/// Whether a conversion gives values that can keep a rule.
fn can_give(conversion: &Conversion, rule: FieldRule) -> bool {
    match rule {
        FieldRule::Text { .. } => {
            !matches!(conversion, Conversion::Duration { .. } | Conversion::Share { .. })
        }
        FieldRule::Uuid => matches!(
            conversion,
            Conversion::Text
                | Conversion::Lower
                | Conversion::Upper
                | Conversion::LastSegment
                | Conversion::Uuid
                | Conversion::MadeId { .. }
        ),
        FieldRule::Letters(_) => {
            matches!(conversion, Conversion::Text | Conversion::Upper | Conversion::LastSegment)
        }
        FieldRule::EventTime | FieldRule::Time => {
            matches!(conversion, Conversion::Text | Conversion::Epoch(_) | Conversion::LocalTime { .. })
        }
        FieldRule::Date => matches!(conversion, Conversion::Text | Conversion::Date { .. }),
        FieldRule::Amount => matches!(conversion, Conversion::Text | Conversion::MinorUnits { .. }),
        FieldRule::Integer { .. } => matches!(conversion, Conversion::Duration { .. }),
        FieldRule::Share => matches!(conversion, Conversion::Share { .. }),
        FieldRule::Boolean => matches!(conversion, Conversion::Share { .. }),
        FieldRule::Object => false,
    }
}

/// What can give a field of a rule its value.
fn allowed(rule: FieldRule) -> &'static str {
    match rule {
        FieldRule::Text { .. } => "any conversion but duration and share, or a value as it stands",
        FieldRule::Uuid => "uuid, made_id, text, lower, upper, last_segment, or a value as it stands",
        FieldRule::Letters(_) => "upper, text, last_segment, one_of, or a value as it stands",
        FieldRule::EventTime | FieldRule::Time => {
            "epoch_seconds, epoch_milliseconds, epoch_microseconds, local_time, text, or a value as it stands"
        }
        FieldRule::Date => "date, text, or a value as it stands",
        FieldRule::Amount => "minor_units, text, or a value as it stands",
        FieldRule::Integer { .. } => "duration, one_of, or a value as it stands",
        FieldRule::Share => "share, one_of, or a value as it stands",
        FieldRule::Boolean => "one_of, share (true where all of it is there), or a value as it stands",
        FieldRule::Object => "a place",
    }
}

/// Whether a constant keeps a field's rule; else what is expected.
fn check_constant(field: &Field, constant: &Constant) -> Result<(), String> {
    let good = match (field.rule, constant) {
        (FieldRule::Text { max }, Constant::Text(text)) => {
            check_text(text.as_bytes(), max).is_ok() && !(field.required && text.is_empty())
        }
        (FieldRule::Uuid, Constant::Text(text)) => parse_uuid(text.as_bytes()).is_ok(),
        (FieldRule::Letters(count), Constant::Text(text)) => {
            text.len() == count && is_upper_letters(text.as_bytes())
        }
        (FieldRule::EventTime | FieldRule::Time, Constant::Text(text)) => is_time(text),
        (FieldRule::Date, Constant::Text(text)) => parse_date(text.as_bytes()).is_ok(),
        (FieldRule::Amount, Constant::Text(text)) => parse_amount(text.as_bytes()).is_ok(),
        (FieldRule::Amount, Constant::Integer(_) | Constant::Number(_)) => {
            parse_amount(constant.to_string().as_bytes()).is_ok()
        }
        (FieldRule::Integer { min, max }, Constant::Integer(number)) => {
            (i64::from(min)..=i64::from(max)).contains(number)
        }
        (FieldRule::Share, Constant::Integer(number)) => (0..=1).contains(number),
        (FieldRule::Share, Constant::Number(number)) => (0.0..=1.0).contains(number),
        (FieldRule::Boolean, Constant::Boolean(_)) => true,
        _ => false,
    };
    if good { Ok(()) } else { Err(format!("expected {}", field.expected())) }
}
