//! Definitions written as TOML and read again.

use crate::{Definition, Mapping, builtin};

/// The example of the reference page, with every conversion.
pub(crate) const EVERYTHING: &str = r#"
version = 1
name = "acme \"quoted\""
namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

[input]
prefix = "skip"
each = "/data"
embedded = ["/event", "^/batch"]

[defaults]
event_id = { at = "/messageId", as = "uuid", otherwise = { as = "made_id", of = ["/messageId", "^/batch/id"] } }
user_id = ["/userId", { at = "/ids", where = { kind = "user", main = true }, then = "/value" }]
event_time = { at = "/timestamp", as = "local_time", zone = "Asia/Almaty" }
country = { at = "/context/location/country", as = "upper" }
session_id = { at = "/a~1b/~0c", as = "text" }

[[rule]]
when = [{ at = "/type", is = "track" }, { at = "/event", is = ["Order Completed", 7, 7.5, false] }]
event_type = "purchase"
purchase_id = "/properties/order_id"
amount = { at = "/properties/total", as = "minor_units", digits = 2 }
currency = { value = "USD" }
plan = { at = "/properties/plan", as = "lower", otherwise = { value = "course" } }
period_start = { at = "/timestamp", as = "date" }
period_end = { at = "/timestamp", as = "date", plus = "P1Y1M" }
is_trial = { at = "/properties/trial", as = "one_of", table = { yes = true, "no" = false, "1" = true } }

[[rule]]
when = [{ at = "/type", starts_with = "answer" }, { at = "/kind", is_not = "draft" }]
event_type = "task_result"
event_time = { at = "/ms", as = "epoch_milliseconds" }
task_id = { at = "/url", as = "last_segment" }
is_correct = { as = "share", of = "/points", out_of = "/most" }
score = { as = "share", of = "/points", out_of = "/most" }
duration_ms = { at = "/took", as = "duration", unit = "seconds" }
attempt = { value = 1 }

[[rule]]
when = [{ at = "/type", ends_with = "ing" }, { at = "/gone", exists = false }]
drop = "ping"

[[rule]]
event_type = { at = "/event", as = "snake_case" }
properties = "/properties"
"#;

pub(crate) fn definition(text: &str) -> Definition {
    match Mapping::from_toml("test", text, &mut |name| Err(format!("no {name} here"))) {
        Ok(mapping) => mapping.definition().clone(),
        Err(faults) => panic!("{faults:#?}"),
    }
}

#[test]
fn what_is_written_reads_the_same() {
    let everything = definition(EVERYTHING);
    insta::assert_snapshot!(everything.to_toml());
    assert_eq!(definition(&everything.to_toml()), everything);
    for name in builtin::NAMES {
        let mapping = Mapping::builtin(name).unwrap();
        let again = Mapping::new(mapping.definition()).unwrap();
        assert_eq!(again.definition(), mapping.definition(), "{name}");
        assert_eq!(again.hash(), mapping.hash(), "{name}");
    }
}

#[test]
fn the_hash_is_of_what_is_said() {
    let hash = |text: &str| Mapping::from_toml("test", text, &mut |_| Err(String::new())).unwrap().hash();
    let commented = format!("# Ours.\n{}", EVERYTHING.replace(" = ", "   =  "));
    assert_eq!(hash(EVERYTHING), hash(&commented));
    assert_ne!(hash(EVERYTHING), hash(&EVERYTHING.replace("digits = 2", "digits = 3")));
    assert_ne!(
        hash("version = 1\nname = \"a\"\nextends = \"segment\""),
        Mapping::builtin("segment").unwrap().hash()
    );
}
