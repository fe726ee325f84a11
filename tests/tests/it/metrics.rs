//! The models' plain SQL on a product small enough to check by hand: input and result in one snapshot.

use std::fmt::Write;
use std::fs;

use integration_tests::world::World;
use metrics_sql::{Plain, Target, models, render};

/// Type, user, time, and what else stands in the line.
type Event = (&'static str, &'static str, &'static str, &'static str);

/// Two weeks of three users. u1 comes from two platforms on a day; u2 stays away for ten days; u3 is new on
/// the last day, by an event that came twice. An event of tomorrow is left out, and a purchase is no activity.
const DAYS: [(&str, &[Event]); 2] = [
    (
        "2026-03-01",
        &[
            ("lesson_opened", "u1", "2026-03-01T09:00:00Z", r#""platform":"ios","country":"KZ""#),
            ("lesson_opened", "u1", "2026-03-01T10:00:00Z", r#""platform":"web","country":"KZ""#),
            ("lesson_opened", "u2", "2026-03-01T23:30:00Z", r#""platform":"web""#),
            ("lesson_opened", "u1", "2026-03-02T00:10:00Z", r#""platform":"ios","country":"KZ""#),
        ],
    ),
    (
        "2026-03-12",
        &[
            ("lesson_opened", "u2", "2026-03-11T12:00:00Z", r#""platform":"web""#),
            ("lesson_opened", "u2", "2026-03-12T12:00:00Z", r#""platform":"web""#),
            ("lesson_opened", "u3", "2026-03-12T13:00:00Z", r#""platform":"ios","country":"DE""#),
            ("lesson_opened", "u3", "2026-03-12T13:00:00Z", r#""platform":"ios","country":"DE""#),
            ("lesson_opened", "u1", "2026-03-13T00:00:00Z", r#""platform":"ios","country":"KZ""#),
            (
                "purchase",
                "u1",
                "2026-03-12T14:00:00Z",
                r#""properties":{"purchase_id":"p","plan":"month","amount":"9.99","currency":"USD","period_start":"2026-03-12","period_end":"2026-04-12"}"#,
            ),
        ],
    ),
];

/// A shop's first weeks. u1 renews on the last of February what began on the last of January; u2 pays in euros
/// after a trial; u3, never active, gets all back in two parts; u9 gets back what nobody knows of. A refund of
/// tomorrow is left out.
const SHOP: [(&str, &[Event]); 3] = [
    (
        "2026-01-31",
        &[
            ("lesson_opened", "u1", "2026-01-31T09:00:00Z", r#""platform":"web","country":"KZ""#),
            (
                "purchase",
                "u1",
                "2026-01-31T10:00:00Z",
                r#""platform":"web","country":"KZ","properties":{"purchase_id":"p1","plan":"basic","amount":"10","currency":"USD","period_start":"2026-01-31","period_end":"2026-02-28"}"#,
            ),
            ("lesson_opened", "u2", "2026-01-31T11:00:00Z", r#""platform":"ios""#),
            (
                "purchase",
                "u2",
                "2026-01-31T11:05:00Z",
                r#""platform":"ios","properties":{"purchase_id":"t2","plan":"plus","amount":0,"currency":"EUR","period_start":"2026-01-31","period_end":"2026-02-07","is_trial":true}"#,
            ),
        ],
    ),
    (
        "2026-02-07",
        &[
            (
                "purchase",
                "u2",
                "2026-02-07T11:05:00Z",
                r#""platform":"ios","properties":{"purchase_id":"p2","plan":"plus","amount":"20","currency":"EUR","period_start":"2026-02-07","period_end":"2026-03-07"}"#,
            ),
            (
                "purchase",
                "u3",
                "2026-02-07T12:00:00Z",
                r#""country":"DE","properties":{"purchase_id":"p3","plan":"basic","amount":"10","currency":"USD","period_start":"2026-02-07","period_end":"2026-03-07"}"#,
            ),
        ],
    ),
    (
        "2026-02-28",
        &[
            ("lesson_opened", "u1", "2026-02-28T09:00:00Z", r#""platform":"web","country":"KZ""#),
            (
                "purchase",
                "u1",
                "2026-02-28T10:00:00Z",
                r#""platform":"web","country":"KZ","properties":{"purchase_id":"p4","plan":"plus","amount":"18","currency":"USD","period_start":"2026-02-28","period_end":"2026-03-31"}"#,
            ),
            (
                "refund",
                "u3",
                "2026-02-28T12:00:00Z",
                r#""platform":"web","country":"FR","properties":{"purchase_id":"p3","amount":"4","currency":"USD"}"#,
            ),
            (
                "refund",
                "u3",
                "2026-02-28T13:00:00Z",
                r#""platform":"web","country":"FR","properties":{"purchase_id":"p3","amount":"6","currency":"USD"}"#,
            ),
            (
                "refund",
                "u9",
                "2026-02-28T14:00:00Z",
                r#""platform":"web","properties":{"purchase_id":"p0","amount":"1.5","currency":"USD"}"#,
            ),
            (
                "refund",
                "u2",
                "2026-03-01T00:00:00Z",
                r#""properties":{"purchase_id":"p2","amount":"20","currency":"EUR"}"#,
            ),
        ],
    ),
];

#[test]
fn a_small_product_by_hand() {
    by_hand("small", &DAYS, "2026-03-12", &["fct_activity_daily"]);
}

#[test]
fn figures_are_read_by_their_names() {
    let world = by_hand("figures", &DAYS, "2026-03-12", &[]);
    let csv = world.succeed(&["metrics", "query", "dau", "--from", "2026-03-11", "--format", "csv"]);
    assert_eq!(csv, "\"activity_date\",\"dau\"\n\"2026-03-11\",1\n\"2026-03-12\",2\n");
    let answer = world.succeed(&[
        "metrics",
        "query",
        "fct_revenue.net_revenue",
        "--by",
        "month,plan",
        "--output",
        "json",
    ]);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["unit"], "reporting currency");
    assert_eq!(answer["rows"][0]["period_start"], "2026-03-01");
    assert_eq!(answer["rows"][0]["plan"], "month");
    assert_eq!(answer["rows"][0]["net_revenue"].as_f64(), Some(9.99));
    let table = world.succeed(&["metrics", "query", "dau", "--by", "platform"]);
    assert!(table.contains("platform") && table.contains("ios"), "{table}");

    // Its SQL, sent as it is, gives the same.
    let prefix = world.database("");
    let sql = world.succeed(&["metrics", "sql", "dau", "--from", "2026-03-11", "--database-prefix", &prefix]);
    assert_eq!(world.query(&sql).len(), 2, "{sql}");
    let sql = world.succeed(&["metrics", "sql", "fct_activity_daily", "--as-of-date", "2026-03-12"]);
    assert!(!world.query(&sql).is_empty(), "{sql}");

    let backwards = ["metrics", "query", "dau", "--from", "2026-03-12", "--to", "2026-03-11"];
    for arguments in [&backwards[..], &["report", "--from", "2026-03-12", "--to", "2026-03-11"]] {
        let backwards = world.run(arguments);
        assert_eq!(backwards.code, 2);
        let said =
            "schoolbell: --from 2026-03-12 is after --to 2026-03-11: no date is from the one to the other\n";
        assert_eq!(backwards.stderr, said);
    }
    world.query("DROP TABLE {marts}.fct_ltv SYNC");
    for arguments in [&["metrics", "query", "ltv"][..], &["report"]] {
        let unbuilt = world.run(arguments);
        assert_eq!(unbuilt.code, 2);
        assert!(unbuilt.stderr.contains("build the marts after a load"), "{}", unbuilt.stderr);
    }

    let missing = world.run(&["metrics", "query", "daus"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("did you mean dau?"), "{}", missing.stderr);
    let catalogue = world.succeed(&["metrics", "list", "--output", "json"]);
    let catalogue: serde_json::Value = serde_json::from_str(&catalogue).unwrap();
    assert!(catalogue.as_array().unwrap().iter().any(|metric| metric["name"] == "dau"));
}

#[test]
fn a_small_shop_by_hand() {
    let marts = ["fct_revenue", "fct_conversion", "fct_ltv", "fct_subscription_retention"];
    by_hand("shop", &SHOP, "2026-02-28", &marts);
}

/// Loads the days, runs the plain SQL of every model, and compares input and rows of each of these marts with a
/// snapshot of its name.
fn by_hand(name: &str, days: &[(&str, &[Event])], as_of_date: &str, marts: &[&str]) -> World {
    let world = World::new(name);
    let mut input = String::new();
    for (day, events) in days {
        let mut lines = String::new();
        for (event_type, user, time, more) in *events {
            // The same user and time is the same event here.
            let id = 0x018f_2c6e_7b1a_7c3d_9e4f_0000_0000_0000_u128 + u128::from_be_bytes(hash(user, time));
            let id = format!("{id:032x}");
            let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
            let event =
                format!(r#""event_type":"{event_type}","user_id":"{user}","event_time":"{time}",{more}"#);
            writeln!(input, "{day}  {event}").unwrap();
            writeln!(lines, r#"{{"event_id":"{id}",{event}}}"#).unwrap();
        }
        fs::write(world.path("day.jsonl"), lines).unwrap();
        world.load(day, &["day.jsonl"]);
    }

    let prefix = world.database("raw").trim_end_matches("raw").to_owned();
    let plain = Plain::with_prefix(&prefix, as_of_date);
    for database in [&plain.staging, &plain.marts] {
        world.query(&format!("CREATE DATABASE {database}"));
    }
    world.query(
        "CREATE TABLE {staging}.exchange_rates \
         (from_currency String, to_currency String, valid_from Date, rate Decimal(38, 12)) \
         ENGINE = MergeTree ORDER BY (from_currency, to_currency, valid_from)",
    );
    world.query("INSERT INTO {staging}.exchange_rates VALUES ('EUR', 'USD', '2000-01-01', 1.1)");
    let target = Target::Plain(plain.clone());
    for model in models() {
        let name = model.id.name.as_str();
        let table = format!("{}.{name}", plain.database(model.id.layer));
        let sql = render(&model, &target);
        world.query(&format!("CREATE TABLE {table} ENGINE = MergeTree ORDER BY tuple() AS {sql}"));
        if marts.contains(&name) {
            let key: Vec<&str> = model.grain.iter().map(metrics_sql::sql::Ident::as_str).collect();
            let mut shown = format!("{input}\n");
            for row in world.query(&format!("SELECT * FROM {table} ORDER BY {}", key.join(", "))) {
                writeln!(shown, "{row}").unwrap();
            }
            insta::assert_snapshot!(name, shown);
        }
    }
    world
}

/// A number of a user and a time, in the lower 48 bits.
fn hash(user: &str, time: &str) -> [u8; 16] {
    let mut hash = 0_u128;
    for byte in user.bytes().chain(time.bytes()) {
        hash = (hash * 31 + u128::from(byte)) % (1 << 47);
    }
    hash.to_be_bytes()
}
