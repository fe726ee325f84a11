//! Tests of quoting and of the renderer's layout and precedence.

use proptest::prelude::*;

use super::*;
use crate::model::{Layer, ModelRef};

/// Reads a quoted text as `ClickHouse` documents its escapes; `None` where it does not end with its quote.
fn unquote(sql: &str, quote: u8) -> Option<String> {
    let inner = sql.as_bytes().strip_prefix(&[quote])?;
    let mut out = Vec::new();
    let mut bytes = inner.iter().copied();
    loop {
        match bytes.next()? {
            b'\\' => out.push(match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other => other,
            }),
            byte if byte == quote => break,
            byte => out.push(byte),
        }
    }
    if bytes.next().is_some() {
        return None;
    }
    String::from_utf8(out).ok()
}

fn opens_jinja(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opener| text.contains(opener))
}

/// Any text, and often the signs that matter to SQL or jinja.
fn hostile() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "'", "`", "\"", "\\", "{", "{{", "}}", "{%", "%}", "{#", "--", "/*", "\n", "\0", "\\x7B", ";", "é",
        "🔔", "a",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(signs, 0..12).prop_map(|parts| parts.concat())]
}

proptest! {
    #[test]
    fn any_text_survives_quoting(value in hostile()) {
        let sql = quote_text(&value);
        prop_assert_eq!(unquote(&sql, b'\''), Some(value));
        prop_assert!(!opens_jinja(&sql));
    }

    #[test]
    fn any_name_survives_quoting(name in hostile()) {
        let sql = quote_identifier(&name);
        if sql.starts_with('`') {
            prop_assert_eq!(unquote(&sql, b'`'), Some(name));
        } else {
            prop_assert!(sql.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            prop_assert_eq!(sql, name);
        }
    }

    #[test]
    fn no_value_or_name_opens_jinja_in_a_model(a in hostile(), b in hostile(), c in hostile()) {
        let select = Select::from(Relation::cte(a.clone()).alias(b.clone()))
            .item(call("concat", [text(&a), text(&b), col(c.clone())]), a.clone())
            .filter(col(b).of(c.clone()).equals(text(&c)));
        let query = Query {
            ctes: vec![Cte::new("x", c, Select::default().item(int(1), "one"))],
            body: Body::Select(Box::new(select)),
        };
        prop_assert!(!opens_jinja(&render_query(&query, &Target::Dbt)));
    }

    #[test]
    fn names_in_ref_are_one_jinja_string(name in hostile()) {
        let from = Select::from(ModelRef::new(Layer::Staging, name.clone())).columns(["a"]);
        let sql = render_query(&from.into(), &Target::Dbt);
        let quoted = sql.split_once("FROM {{ ref(").and_then(|(_, rest)| rest.strip_suffix(") }}"));
        prop_assert_eq!(quoted.and_then(|quoted| unquote(quoted, b'\'')), Some(name));
    }
}

fn flat(expr: &Expr) -> String {
    render_expr(expr, &Target::Dbt)
}

#[test]
fn keywords_and_odd_names_are_quoted() {
    assert_eq!(flat(&col("user_id")), "user_id");
    assert_eq!(flat(&col("select")), "`select`");
    assert_eq!(flat(&col("nan")), "`nan`");
    assert_eq!(flat(&col("UserId")), "`UserId`");
    assert_eq!(flat(&col("2nd")), "`2nd`");
    assert_eq!(flat(&col("")), "``");
    assert_eq!(flat(&col("date").of("a b")), "`a b`.`date`");
}

#[test]
fn parentheses_keep_the_meaning_of_the_tree() {
    let [a, b, c] = [col("a"), col("b"), col("c")];
    let cases = [
        (a.clone() - (b.clone() - c.clone()), "a - (b - c)"),
        (a.clone() - b.clone() - c.clone(), "a - b - c"),
        ((a.clone() + b.clone()) * c.clone(), "(a + b) * c"),
        (a.clone() / (b.clone() * c.clone()), "a / (b * c)"),
        (a.clone().or(b.clone()).and(c.clone()), "(a OR b) AND c"),
        (a.clone().and(b.clone()).or(c.clone()), "(a AND b) OR c"),
        (!(a.clone().equals(b.clone())), "NOT a = b"),
        ((!a.clone()).equals(b.clone()), "(NOT a) = b"),
        (!(a.clone().and(b.clone())), "NOT (a AND b)"),
        (a.clone().less(b.clone()).equals(c.clone()), "(a < b) = c"),
        (-(-a.clone()), "-(-a)"),
        (-int(-1), "-(-1)"),
        (a.clone() - int(-1), "a - -1"),
        (-(a.clone() + b.clone()), "-(a + b)"),
        (a.clone().is_in([text("x"), text("y")]).and(b.clone()), "a IN ('x', 'y') AND b"),
        (
            case([(a.clone(), int(1)), (b.clone(), int(2))], int(0)),
            "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 0 END",
        ),
        ((a.clone() + b.clone()).cast(SqlType::UInt64.nullable()), "CAST(a + b AS Nullable(UInt64))"),
    ];
    for (expr, expected) in cases {
        assert_eq!(flat(&expr), expected, "{expr:?}");
    }
}

/// One of every part a select can have.
fn everything() -> Query {
    let window = WindowSpec {
        partition_by: vec![col("user_id")],
        order_by: vec![Order::latest(col("paid_at"))],
        frame: Some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::CurrentRow,
        }),
    };
    let inner = Select::from(Relation::Source("purchases".into()))
        .distinct()
        .columns(["user_id", "paid_at"])
        .item(var(Var::ReportingCurrency), "currency")
        .filter(call("toDate", [col("paid_at"), var(Var::ReportingTimezone)]).at_most(var(Var::AsOfDate)))
        .filter(col("is_trial").or(col("amount").greater(int(0))));
    let outer = Select::from(Relation::cte("paid").alias("p"))
        .item(call("count", []), "payments")
        .item(named_window(call("sum", [call("count", [])]), "so_far"), "running")
        .item(call("max", [col("paid_at").of("p")]).over(window.clone()), "last")
        .array_join(array([text("a"), text("b")]), "letter")
        .join(
            JoinKind::Left,
            Relation::from(ModelRef::new(Layer::Mart, "fct")).alias("f"),
            col("user_id").of("f").equals(col("user_id").of("p")),
        )
        .join(
            JoinKind::Inner,
            Relation::Query(Box::new(Select::default().item(int(1), "one").into())).alias("q"),
            col("one").of("q").equals(int(1)),
        )
        .group_by([col("letter"), col("user_id").of("p")])
        .having(call("count", []).greater(int(1)))
        .window("so_far", window)
        .order_by([Order::latest(col("payments"))])
        .limit_by(3, [col("letter")]);
    Query {
        ctes: vec![Cte::new("paid", "What was paid.\nAnd {{ harmless }}.", inner.clone())],
        body: Body::UnionAll(vec![
            outer,
            Select::from(Query::from(inner)).columns(["user_id", "paid_at", "currency"]),
        ]),
    }
}

#[test]
fn layout_for_dbt() {
    insta::assert_snapshot!(render_query(&everything(), &Target::Dbt));
}

#[test]
fn layout_in_plain_sql() {
    let plain = Plain {
        reporting_currency: "it's".to_owned(),
        reporting_timezone: "Asia/Almaty".to_owned(),
        ..Plain::with_prefix("Acme-", "2026-03-01")
    };
    insta::assert_snapshot!(render_query(&everything(), &Target::Plain(plain)));
}

#[test]
#[should_panic(expected = "is no function's name")]
fn a_function_is_an_identifier() {
    let _ = call("count(); DROP TABLE x; --", []);
}
