//! What the producer's types write is accepted, and stored as it was meant.

use std::num::NonZeroU16;

use event_schema::event::{
    AbTestAssignment, CustomType, Envelope, Event, EventId, Payload, Period, Properties, Purchase, Refund,
    Session, Share, TaskResult,
};
use event_schema::generate::json_schema;
use event_schema::value::{Amount, Country, Currency, Date, Text, Timestamp};
use integration_tests::parsed;
use integration_tests::reference::Options;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// The batch date of the test; events are from before the end of its range.
const BATCH_DATE: (i32, u32, u32) = (2026, 3, 1);
const END_MILLIS: i64 = 1_772_496_000_000;

fn text<const MIN: usize, const MAX: usize>() -> impl Strategy<Value = Text<MIN, MAX>> {
    let short = "[^\\x00-\\x1f\\x7f]{1,12}";
    let longest = Just("x".repeat(MAX));
    prop_oneof![8 => short.prop_map(|text| text), 1 => longest]
        .prop_filter_map("too long in bytes", |text| Text::new(text).ok())
}

fn time(end: i64) -> impl Strategy<Value = Timestamp> {
    prop_oneof![Just(Timestamp::MIN_MILLIS), Just(end - 1), Timestamp::MIN_MILLIS..end]
        .prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

fn amount() -> impl Strategy<Value = Amount> {
    (0..1_000_000_000_000_000_000_u64).prop_map(|parts| Amount::from_ten_thousandths(parts).unwrap())
}

fn currency() -> impl Strategy<Value = Currency> {
    "[A-Z]{3}".prop_map(|code| code.parse().unwrap())
}

fn purchase() -> impl Strategy<Value = Payload> {
    let period = (any::<u16>(), any::<u16>()).prop_filter_map("empty period", |(start, end)| {
        Period::new(Date::from_days(start), Date::from_days(end)).ok()
    });
    (text(), text(), amount(), currency(), period, any::<bool>()).prop_map(
        |(id, plan, amount, currency, period, is_trial)| {
            let purchase = Purchase::new(id, plan, amount, currency, period);
            Payload::Purchase(if is_trial { purchase.trial() } else { purchase })
        },
    )
}

fn refund() -> impl Strategy<Value = Payload> {
    (text(), amount(), currency())
        .prop_map(|(purchase_id, amount, currency)| Payload::Refund(Refund { purchase_id, amount, currency }))
}

fn task_result() -> impl Strategy<Value = Payload> {
    let share = (0.0..=1.0_f64).prop_map(|share| Share::new(share).unwrap());
    let attempt = any::<NonZeroU16>();
    (
        text(),
        any::<bool>(),
        of(text()),
        of(text()),
        of(share),
        of(attempt),
        of(any::<u32>()),
        of(any::<u16>()),
    )
        .prop_map(
            |(task_id, is_correct, course_id, lesson_id, score, attempt, duration_ms, hints_used)| {
                Payload::TaskResult(TaskResult {
                    course_id,
                    lesson_id,
                    score,
                    attempt,
                    duration_ms,
                    hints_used,
                    ..TaskResult::new(task_id, is_correct)
                })
            },
        )
}

fn session() -> impl Strategy<Value = Payload> {
    (text(), time(Timestamp::END_MILLIS), of(time(Timestamp::END_MILLIS)), of(text()), of(text()), of(text()))
        .prop_map(|(id, started_at, ended_at, device, os, referrer)| {
            let open = Session::new(id, started_at);
            let mut session = ended_at.and_then(|end| open.clone().ended_at(end).ok()).unwrap_or(open);
            (session.device, session.os, session.referrer) = (device, os, referrer);
            Payload::Session(session)
        })
}

fn assignment() -> impl Strategy<Value = Payload> {
    (text(), text()).prop_map(|(experiment_id, variant)| {
        Payload::AbTestAssignment(AbTestAssignment { experiment_id, variant })
    })
}

fn custom() -> impl Strategy<Value = Payload> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    ("[^\\x00-\\x1f\\x7f]{1,12}", prop::collection::hash_map(".{0,6}", value, 0..5)).prop_filter_map(
        "a known type",
        |(name, members)| {
            let properties = Properties::new(members.into_iter().collect::<Map<_, _>>()).unwrap();
            Some(Payload::Custom { event_type: CustomType::new(&name).ok()?, properties })
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let country = "[A-Z]{2}".prop_map(|code| code.parse::<Country>().unwrap());
    let envelope = (any::<u128>(), text(), time(END_MILLIS), of(text()), of(text()), of(text()), of(country))
        .prop_map(|(id, user_id, event_time, session_id, platform, app_version, country)| Envelope {
            session_id,
            platform,
            app_version,
            country,
            ..Envelope::new(EventId::from_u128(id), user_id, event_time)
        });
    let payload = prop_oneof![purchase(), refund(), task_result(), session(), assignment(), custom()];
    (envelope, payload).prop_map(|(envelope, payload)| Event::new(envelope, payload))
}

#[test]
fn what_the_types_write_is_accepted() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in event())| {
        let line = event.to_line();
        let outcome = parsed::parse(line.as_bytes(), &Options::for_date(BATCH_DATE), &[usize::MAX], 1 << 20);
        prop_assert!(outcome.rejects.is_empty(), "{line}\n{:?}", outcome.rejects);
        let row = &outcome.rows[0];
        let text = |name: &str| row.columns.iter().find(|(column, _)| *column == name).map(|(_, value)| value.clone());
        prop_assert_eq!(
            text("event_type"),
            Some(integration_tests::reference::Value::text(event.payload().event_type()))
        );
        prop_assert_eq!(
            text("event_time"),
            Some(integration_tests::reference::Value::Int(event.envelope().event_time.millis()))
        );
        prop_assert_eq!(text("extra"), Some(integration_tests::reference::Value::text("")));
        prop_assert!(schema.is_valid(&serde_json::from_str(&line).unwrap()), "the JSON Schema refuses {line}");
        prop_assert_eq!(line.parse::<Event>(), Ok(event), "{}", line);
    });
}
