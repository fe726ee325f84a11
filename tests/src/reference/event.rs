//! One event: the envelope, the payload of its type, and the row they make.

use super::fields::{
    Fields, amount, boolean, capitals, integer, or_empty, period_date, session_id, share, text, time, uuid,
};
use super::json::{Given, Members};
use super::{Accepted, Options, Value, Violations, calendar};

/// The envelope's fields in the contract's order.
const ENVELOPE: [&str; 9] = [
    "event_id",
    "event_type",
    "user_id",
    "event_time",
    "session_id",
    "platform",
    "app_version",
    "country",
    "properties",
];

/// The columns of a row that come from its payload.
type Columns = Vec<(&'static str, Value)>;

/// An event type that has a payload of its own.
struct Payload {
    event_type: &'static str,
    table: &'static str,
    fields: &'static [&'static str],
    read: fn(&mut Fields<'_>) -> Columns,
}

const PAYLOADS: [Payload; 5] = [
    Payload {
        event_type: "purchase",
        table: "purchases",
        fields: &["purchase_id", "plan", "amount", "currency", "period_start", "period_end", "is_trial"],
        read: purchase,
    },
    Payload {
        event_type: "refund",
        table: "purchases",
        fields: &["purchase_id", "amount", "currency"],
        read: refund,
    },
    Payload {
        event_type: "task_result",
        table: "task_results",
        fields: &[
            "task_id",
            "is_correct",
            "course_id",
            "lesson_id",
            "score",
            "attempt",
            "duration_ms",
            "hints_used",
        ],
        read: task_result,
    },
    Payload {
        event_type: "session",
        table: "sessions",
        fields: &["started_at", "ended_at", "device", "os", "referrer"],
        read: session,
    },
    Payload {
        event_type: "ab_test_assignment",
        table: "ab_test_assignments",
        fields: &["experiment_id", "variant"],
        read: ab_test_assignment,
    },
];

/// Reads the text of a JSON object as an event.
pub(super) fn read(object: &str, options: &Options) -> Result<Accepted, Violations> {
    let mut violations = Violations::new();
    let envelope = Members::of(object);
    let mut fields = Fields { members: &envelope, prefix: "", violations: &mut violations };

    let event_id = fields.required("event_id", uuid);
    let event_type = fields.required("event_type", text(1..=128));
    let user_id = fields.required("user_id", text(1..=256));
    let event_time = fields.required("event_time", time(calendar::event_time_range(options.batch_date)));
    let session_id = if event_type == Value::text("session") {
        fields.required("session_id", session_id)
    } else {
        fields.optional_text("session_id", 256)
    };
    let platform = fields.optional_text("platform", 64);
    let app_version = fields.optional_text("app_version", 64);
    let country = or_empty(fields.optional_string("country", capitals(2)));

    // The payload's text; `None` where it is refused as a whole.
    let mut properties = Some("{}".to_owned());
    let before = fields.violations.len();
    fields.optional("properties", |given| match given {
        Given::Object(text) => {
            properties = Some(text.clone());
            Ok(Value::Null)
        }
        _ => Err("wrong_type"),
    });
    if violations.len() > before {
        properties = None;
    }

    let payload = PAYLOADS.iter().find(|payload| event_type == Value::text(payload.event_type));
    let mut payload_columns = Columns::new();
    let mut unknown = unknown_members(&envelope, &ENVELOPE);
    match (payload, properties) {
        (Some(payload), Some(properties)) => {
            let members = Members::of(&properties);
            let mut fields = Fields { members: &members, prefix: "properties.", violations: &mut violations };
            payload_columns = (payload.read)(&mut fields);
            let unknown_properties = unknown_members(&members, payload.fields);
            if !unknown_properties.is_empty() {
                unknown.push(format!("\"properties\":{{{}}}", unknown_properties.join(",")));
            }
        }
        (None, Some(properties)) => payload_columns.push(("properties", Value::text(properties))),
        (_, None) => {}
    }
    if !violations.is_empty() {
        return Err(violations);
    }

    let extra = if unknown.is_empty() { String::new() } else { format!("{{{}}}", unknown.join(",")) };
    let mut columns = vec![
        ("event_id", event_id),
        ("event_type", event_type),
        ("user_id", user_id),
        ("event_time", event_time),
        ("session_id", session_id),
        ("platform", platform),
        ("app_version", app_version),
        ("country", country),
        ("extra", Value::text(extra)),
    ];
    columns.append(&mut payload_columns);
    Ok((payload.map_or("events", |payload| payload.table), columns))
}

/// The members that the contract does not name, each `"key":value` as they stood.
fn unknown_members(members: &Members, known: &[&str]) -> Vec<String> {
    let unknown = members.0.iter().filter(|member| !known.contains(&member.key.as_str()));
    unknown.map(|member| format!("{}:{}", member.key_text, member.value_text)).collect()
}

fn purchase(fields: &mut Fields<'_>) -> Columns {
    let purchase_id = fields.required("purchase_id", text(1..=256));
    let plan = fields.required("plan", text(1..=64));
    let amount = fields.required("amount", amount);
    let currency = fields.required("currency", capitals(3));
    let period_start = fields.required("period_start", period_date);
    let period_end = fields.required("period_end", period_date);
    if let (Value::Int(start), Value::Int(end)) = (&period_start, &period_end)
        && end <= start
    {
        fields.refuse("period_end", "invalid_value");
    }
    let is_trial = match fields.optional("is_trial", boolean) {
        Value::Null => Value::Bool(false),
        given => given,
    };
    vec![
        ("kind", Value::text("purchase")),
        ("purchase_id", purchase_id),
        ("plan", plan),
        ("amount", amount),
        ("currency", currency),
        ("period_start", period_start),
        ("period_end", period_end),
        ("is_trial", is_trial),
    ]
}

fn refund(fields: &mut Fields<'_>) -> Columns {
    vec![
        ("kind", Value::text("refund")),
        ("purchase_id", fields.required("purchase_id", text(1..=256))),
        ("plan", Value::text("")),
        ("amount", fields.required("amount", amount)),
        ("currency", fields.required("currency", capitals(3))),
        ("period_start", Value::Null),
        ("period_end", Value::Null),
        ("is_trial", Value::Bool(false)),
    ]
}

fn task_result(fields: &mut Fields<'_>) -> Columns {
    // The contract's order is not the table's.
    let task_id = fields.required("task_id", text(1..=256));
    let is_correct = fields.required("is_correct", boolean);
    let course_id = fields.optional_text("course_id", 256);
    let lesson_id = fields.optional_text("lesson_id", 256);
    vec![
        ("task_id", task_id),
        ("course_id", course_id),
        ("lesson_id", lesson_id),
        ("is_correct", is_correct),
        ("score", fields.optional("score", share)),
        ("attempt", fields.optional("attempt", integer(1..=65_535))),
        ("duration_ms", fields.optional("duration_ms", integer(0..=4_294_967_295))),
        ("hints_used", fields.optional("hints_used", integer(0..=65_535))),
    ]
}

fn session(fields: &mut Fields<'_>) -> Columns {
    let started_at = fields.required("started_at", time(calendar::session_time_range()));
    let ended_at = fields.optional_string("ended_at", time(calendar::session_time_range()));
    if let (Value::Int(started), Value::Int(ended)) = (&started_at, &ended_at)
        && ended < started
    {
        fields.refuse("ended_at", "invalid_value");
    }
    vec![
        ("started_at", started_at),
        ("ended_at", ended_at),
        ("device", fields.optional_text("device", 128)),
        ("os", fields.optional_text("os", 64)),
        ("referrer", fields.optional_text("referrer", 2048)),
    ]
}

fn ab_test_assignment(fields: &mut Fields<'_>) -> Columns {
    vec![
        ("experiment_id", fields.required("experiment_id", text(1..=256))),
        ("variant", fields.required("variant", text(1..=128))),
    ]
}
