//! Events of every type: good fields mostly, and for each field what is next to good.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::json::{Member, any_key, any_value, blanks, good_text, key, number, object, string};

/// An event's text. About two thirds are accepted by the contract.
pub(super) fn any_event() -> BoxedStrategy<String> {
    prop_oneof![
        event(None, Vec::new()),
        event(Some("purchase"), purchase()),
        event(Some("refund"), refund()),
        event(Some("task_result"), task_result()),
        event(Some("session"), session()),
        event(Some("ab_test_assignment"), ab_test_assignment()),
    ]
    .boxed()
}

/// Zero, one or two members of an object.
type Field = BoxedStrategy<Vec<Member>>;

/// An event of a type with its payload's fields, or of any other type, with none.
fn event(event_type: Option<&'static str>, payload: Vec<Field>) -> BoxedStrategy<String> {
    let type_name = event_type.map_or_else(|| good_text(128), |name| Just(name.to_owned()).boxed());
    let session_id = match event_type {
        Some("session") => required("session_id", text(256)),
        _ => optional("session_id", text(256)),
    };
    let properties = members(payload);
    let properties = Values {
        good: (properties, blanks()).prop_map(|(members, blanks)| object(&members, &blanks)).boxed(),
        odd: prop_oneof![any_value(), Just("{}".to_owned())].boxed(),
    };
    let properties = match event_type {
        Some(_) => required("properties", properties),
        None => optional("properties", properties),
    };
    let fields = vec![
        required("event_id", event_id()),
        required("event_type", Values { good: string(type_name), ..text(128) }),
        required("user_id", text(256)),
        required("event_time", time(2000..=2025)),
        session_id,
        optional("platform", text(64)),
        optional("app_version", text(64)),
        optional("country", capitals(2)),
        properties,
    ];
    (members(fields), blanks())
        .prop_map(|(members, blanks)| {
            let around = &blanks[0];
            format!("{around}{}{around}", object(&members, &blanks))
        })
        .boxed()
}

/// The members of an object in any order, with a few that nobody knows.
fn members(mut fields: Vec<Field>) -> BoxedStrategy<Vec<Member>> {
    let unknown = prop_oneof![
        5 => Just(Vec::new()),
        2 => vec((key(any_key()), any_value()), 1..4),
    ];
    fields.push(unknown.boxed());
    fields.prop_map(|fields| fields.concat()).prop_shuffle().boxed()
}

/// The JSON texts that a field may take, and others that it may or may not.
struct Values {
    good: BoxedStrategy<String>,
    odd: BoxedStrategy<String>,
}

fn required(name: &'static str, values: Values) -> Field {
    let Values { good, odd } = values;
    let once = |value: BoxedStrategy<String>| named(name, value).prop_map(|member| vec![member]);
    let twice = (named(name, good.clone()), named(name, odd.clone())).prop_map(|(a, b)| vec![a, b]);
    prop_oneof![
        150 => once(good),
        3 => once(odd),
        1 => once(Just("null".to_owned()).boxed()),
        1 => Just(Vec::new()),
        1 => twice,
    ]
    .boxed()
}

fn optional(name: &'static str, values: Values) -> Field {
    let Values { good, odd } = values;
    let once = |value: BoxedStrategy<String>| named(name, value).prop_map(|member| vec![member]);
    let twice = (named(name, good.clone()), named(name, odd.clone())).prop_map(|(a, b)| vec![a, b]);
    prop_oneof![
        60 => Just(Vec::new()),
        80 => once(good),
        8 => once(Just("null".to_owned()).boxed()),
        8 => once(Just("\"\"".to_owned()).boxed()),
        3 => once(odd),
        1 => twice,
    ]
    .boxed()
}

fn named(name: &'static str, value: BoxedStrategy<String>) -> BoxedStrategy<Member> {
    (key(Just(name.to_owned())), value).boxed()
}

/// One of the listed texts, or any value at all.
fn odd(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    prop_oneof![4 => select(texts).prop_map(str::to_owned), 1 => any_value()].boxed()
}

fn text(max_bytes: usize) -> Values {
    let long = prop_oneof![
        Just("x".repeat(max_bytes + 1)),
        Just(format!("x{}", "é".repeat(max_bytes / 2))),
        Just(String::new()),
        "[a-z]{0,3}[\\x00-\\x1f\\x7f][a-z]{0,3}",
        any::<String>(),
    ];
    Values {
        good: string(good_text(max_bytes)),
        odd: prop_oneof![4 => string(long), 1 => any_value()].boxed(),
    }
}

fn event_id() -> Values {
    Values {
        good: string("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-fA-F]{12}"),
        odd: prop_oneof![
            string("[0-9a-fA-F]{7,9}(-[0-9a-fA-F]{4}){2,3}-?[0-9a-gA-F]{11,13}"),
            string("[0-9a-f-]{36}"),
            any_value(),
        ]
        .boxed(),
    }
}

fn capitals(count: usize) -> Values {
    Values {
        good: string(vec("[A-Z]", count).prop_map(|letters| letters.concat())),
        odd: prop_oneof![string("[A-Za-z@\\[é]{0,4}"), any_value()].boxed(),
    }
}

fn time(years: std::ops::RangeInclusive<i32>) -> Values {
    let date = (years, 1..=12, 2..=27).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let clock = "[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,12})?";
    let zone = prop_oneof![3 => Just("Z".to_owned()), 2 => "z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]"];
    let wild = "(19|20|21|22)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt _]?[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\
                (\\.[0-9]{0,4})?(Z|[+-][0-2][0-9]:?[0-6][0-9])?";
    let edges = select(
        &[
            "1999-12-31T23:59:59.9999Z",
            "2000-01-01T00:00:00Z",
            "2000-01-01T00:59:59.999+01:00",
            "2026-01-02T23:59:59.9999Z",
            "2026-01-03T00:00:00Z",
            "2026-01-03T00:59:59+01:00",
            "2026-01-02T23:00:00-01:00",
            "2199-12-31T23:59:59.9999Z",
            "2200-01-01T00:00:00Z",
            "2024-02-29T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2025-12-31T23:59:60Z",
            "2025-12-31T24:00:00Z",
            "2025-12-31T23:59:59+24:00",
            "2025-12-31T23:59:59-00:00",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999-23:59",
            "2025-12-31",
        ][..],
    );
    Values {
        good: string((date, clock, zone).prop_map(|(date, clock, zone)| date + &clock + &zone)),
        odd: prop_oneof![
            4 => string(edges.prop_map(str::to_owned)),
            4 => string(wild),
            1 => any_value(),
        ]
        .boxed(),
    }
}

fn date(years: std::ops::RangeInclusive<i32>) -> Values {
    let good = (years, 1..=12, 1..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let edges = &[
        "1969-12-31",
        "1970-01-01",
        "1970-01-02",
        "2020-12-31",
        "2021-01-01",
        "2149-06-06",
        "2149-06-07",
        "2024-02-29",
        "2025-02-29",
        "2100-02-29",
        "2000-02-29",
        "0000-01-01",
        "9999-12-31",
        "2025-04-31",
        "2025-1-1",
    ][..];
    Values {
        good: string(good),
        odd: prop_oneof![
            4 => string(select(edges).prop_map(str::to_owned)),
            4 => string("(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]"),
            1 => any_value(),
        ]
        .boxed(),
    }
}

fn amount() -> Values {
    Values {
        good: prop_oneof![
            string("[0-9]{1,14}(\\.[0-9]{1,4})?"),
            "(0|[1-9][0-9]{0,13})(\\.[0-9]{1,4})?".boxed(),
        ]
        .boxed(),
        odd: prop_oneof![
            string("[-+]?[0-9]{0,16}\\.?[0-9]{0,6}"),
            "-?(0|[1-9][0-9]{0,15})(\\.[0-9]{1,6})?".boxed(),
            number(),
            odd(&["1e2", "\"-\"", "-0", "\"1.\"", "\".5\"", "\" 1\"", "\"-x\"", "\"1e2\"", "1.50E0"]),
        ]
        .boxed(),
    }
}

fn boolean() -> Values {
    Values {
        good: select(&["true", "false"][..]).prop_map(str::to_owned).boxed(),
        odd: odd(&["0", "1", "\"true\"", "\"\"", "[]"]),
    }
}

fn integer(range: std::ops::RangeInclusive<i64>) -> Values {
    let (least, greatest) = (*range.start(), *range.end());
    let edges = prop::sample::select(vec![least - 1, least, greatest, greatest + 1]);
    Values {
        good: range.prop_map(|value| value.to_string()).boxed(),
        odd: prop_oneof![
            edges.prop_map(|value| value.to_string()),
            number(),
            odd(&["-0", "3.0", "3e0", "\"3\"", "\"\"", "9223372036854775808", "18446744073709551617"]),
        ]
        .boxed(),
    }
}

fn score() -> Values {
    Values {
        good: prop_oneof![
            (0.0..=1.0_f64).prop_map(|value| value.to_string()),
            "0(\\.[0-9]{1,30})?([eE]-?[0-9]{1,3})?",
            select(&["0", "1", "-0", "1.0", "1E0", "100e-2", "5e-324", "-1e-999"][..])
                .prop_map(str::to_owned),
        ]
        .boxed(),
        odd: prop_oneof![
            number(),
            "1\\.0{10,20}[0-9]{1,5}",
            odd(&["1.0000000000000003", "1e999", "-5e-324", "\"0.5\"", "\"\""]),
        ]
        .boxed(),
    }
}

fn purchase() -> Vec<Field> {
    vec![
        required("purchase_id", text(256)),
        required("plan", text(64)),
        required("amount", amount()),
        required("currency", capitals(3)),
        required("period_start", date(1970..=2020)),
        required("period_end", date(2021..=2148)),
        optional("is_trial", boolean()),
    ]
}

fn refund() -> Vec<Field> {
    vec![required("purchase_id", text(256)), required("amount", amount()), required("currency", capitals(3))]
}

fn task_result() -> Vec<Field> {
    vec![
        required("task_id", text(256)),
        required("is_correct", boolean()),
        optional("course_id", text(256)),
        optional("lesson_id", text(256)),
        optional("score", score()),
        optional("attempt", integer(1..=65_535)),
        optional("duration_ms", integer(0..=4_294_967_295)),
        optional("hints_used", integer(0..=65_535)),
    ]
}

fn session() -> Vec<Field> {
    vec![
        required("started_at", time(2000..=2012)),
        optional("ended_at", time(2013..=2199)),
        optional("device", text(128)),
        optional("os", text(64)),
        optional("referrer", text(2048)),
    ]
}

fn ab_test_assignment() -> Vec<Field> {
    vec![required("experiment_id", text(256)), required("variant", text(128))]
}
