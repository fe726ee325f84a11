//! Lines through mappings: what they give, what is kept, what is rejected, and why.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use event_parser::columns::View;
use event_parser::mapped::MappedParser;
use event_parser::{Batch, Options, Parser};
use event_schema::registry::{ENTITIES, ENVELOPE};
use proptest::prelude::*;

use super::*;
use crate::definition::{
    Assignment, Condition, Constant, Conversion, Definition, Expression, Place, Rule, Span, Test, Then,
};

fn mapper(toml: &str) -> Mapper {
    Mapper::new(mapping(toml))
}

fn mapping(toml: &str) -> Arc<Mapping> {
    match Mapping::from_toml("test.toml", toml, &mut |_| Err("none".to_owned())) {
        Ok(mapping) => Arc::new(mapping),
        Err(faults) => panic!("{faults:#?}"),
    }
}

/// What becomes of a line: contract lines, or what is wrong.
fn mapped(mapper: &mut Mapper, line: &str) -> String {
    let mut lines = ContractLines::default();
    let mut shown = String::new();
    if let Err(violation) = lines.map(mapper, line) {
        writeln!(shown, "rejected: {violation}: {}", violation.message).unwrap();
    }
    shown.push_str(std::str::from_utf8(lines.lines()).unwrap());
    for violations in lines.rejected() {
        for violation in violations {
            writeln!(shown, "rejected: {violation}: {}", violation.message).unwrap();
        }
    }
    if shown.is_empty() { "nothing\n".to_owned() } else { shown }
}

const DEFAULTS: &str = "version = 1\nname = \"a\"\n[defaults]\nevent_id = \"/id\"\nuser_id = [\"/user\", \"/anonymous\"]\nevent_time = \"/time\"\n";

#[test]
fn what_no_field_took_is_kept() {
    let mut open = mapper(&format!(
        "{DEFAULTS}[[rule]]\nevent_type = {{ value = \"opened\" }}\ncountry = {{ at = \"/where/country\", as = \"upper\" }}\n"
    ));
    let mut at = mapper(&format!(
        "{DEFAULTS}[[rule]]\nevent_type = {{ value = \"opened\" }}\nproperties = \"/props\"\n"
    ));
    let mut typed = mapper(&format!(
        "{DEFAULTS}[[rule]]\nevent_type = \"ab_test_assignment\"\nexperiment_id = \"/props/test\"\nvariant = \"/props/deep/side\"\nproperties = \"/props\"\n"
    ));
    let mut plain = mapper(&format!(
        "{DEFAULTS}[[rule]]\nevent_type = \"ab_test_assignment\"\nexperiment_id = \"/test\"\nvariant = {{ value = \"a\" }}\n"
    ));
    let mut shown = String::new();
    for line in [
        // Numbers, escapes and repeated members as they stand; `user` was found, `anonymous` was not needed.
        r#"{"id":"1","user":"u","anonymous":"a","time":"t", "n" : 1.0e2 , "\u0074":"\u00e9","n":2,"where":{"country":"kz","city":"x"}}"#,
        // Taken whole; `null` and `""` hold nothing.
        r#"{"id":"1","user":"","anonymous":"a","time":"t","where":{"country":"KZ"},"props":{"test":"t","deep":{"side":"b"}}}"#,
        r#"{"id":"1","user":null,"anonymous":"a","time":"t","where":{},"props":{"test":"t","deep":{"side":"b","x":[1]},"variant":3,"o":{}}}"#,
        // Names that are the contract's own.
        r#"{"id":"1","user":"u","time":"t","user_id":7,"properties":[1],"extra":2,"test":"x"}"#,
        r#"{"id":"1","user":"u","time":"t","properties":{"test":1,"variant":2},"test":"x"}"#,
        r#"{"id":"1","user":"u","time":"t","props":7}"#,
        r#"{"id":"1","user":"u","time":"t","props":null}"#,
    ] {
        for (name, mapper) in
            [("rest", &mut open), ("at", &mut at), ("typed", &mut typed), ("plain", &mut plain)]
        {
            writeln!(shown, "{name}: {}", mapped(mapper, line).trim_end()).unwrap();
        }
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn rejects_say_where_and_what_stood_there() {
    let mut mapper = mapper(
        "version = 1\nname = \"a\"\n[input]\neach = \"/data\"\n[defaults]\nevent_id = { at = \"/id\", as = \"uuid\" }\nuser_id = \"^/who\"\nevent_time = { at = [\"/ms\", \"/t\"], as = \"epoch_milliseconds\" }\n[[rule]]\nwhen = [{ at = \"/kind\", is = \"drop\" }]\ndrop = \"noise\"\n[[rule]]\nwhen = [{ at = \"/kind\", is = \"open\" }]\nevent_type = { value = \"opened\" }\n",
    );
    let mut shown = String::new();
    for line in [
        r#"{"who":"u","sent":1,"data":[{"kind":"open","id":"018f2c6e7b1a7c3d9e4f0123456789ab","ms":1772357400123,"x":1},{"kind":"open","id":"7","ms":"soon"},3,{"kind":"close","id":null},{"kind":"drop"},{"kind":"open","id":"018f2c6e7b1a7c3d9e4f0123456789ab","ms":1,"ms":2}]}"#,
        r#"{"who":"u","data":{}}"#,
        r#"{"who":"u","data":[],"data":[]}"#,
        r#"{"who":"u"}"#,
        r#"{"who":"u","data":[]}"#,
        r#"{"who":"u","data":[{}}"#,
        "[]",
    ] {
        writeln!(shown, "{}", mapped(&mut mapper, line)).unwrap();
    }
    insta::assert_snapshot!(shown);
    assert_eq!(mapper.dropped().into_iter().collect::<Vec<_>>(), [("noise", 1)]);
}

#[test]
fn a_contract_violation_is_explained_by_the_source() {
    let mapping = mapping(&format!(
        "{DEFAULTS}[[rule]]\nevent_type = \"task_result\"\ntask_id = \"/task\"\nis_correct = {{ at = \"/ok\", as = \"one_of\", table = {{ yes = true }} }}\nattempt = \"/n\"\nduration_ms = {{ at = \"/took\", as = \"duration\" }}\ncountry = {{ at = \"/c\", as = \"upper\" }}\n"
    ));
    let line = r#"{"id":"1","user":"","time":"2026-03-01T09:30:00Z","task":"t","ok":"maybe","n":0,"took":90,"c":"kaz"}"#;
    let batch = through(&mapping, &format!("\n{line}\n"));
    let reject = &batch.rejects()[0];
    assert_eq!((reject.line, reject.byte_offset, &*reject.raw), (2, 1, line.as_bytes()));
    let mut shown = String::new();
    for violation in &reject.violations {
        writeln!(shown, "{violation}: {}", violation.message).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn prefixes_are_skipped_and_texts_opened() {
    let mut mapper = mapper(
        "version = 1\nname = \"a\"\n[input]\nprefix = \"skip\"\nembedded = [\"/event\"]\n[defaults]\nevent_id = { as = \"made_id\" }\nuser_id = { at = \"/event/user\", as = \"text\" }\nevent_time = \"/time\"\n[[rule]]\nevent_type = \"/name\"\n",
    );
    let mut shown = String::new();
    for line in [
        r#"2026-03-01 INFO [tracking] - {"name":"a","time":"t","event":"{\"user\": 7, \"x\": [1, 2]}"}"#,
        r#"{"name":"a","time":"t","event":"{\"user\": 7, \"x\": [1, 2]}"}"#,
        r#"{"name":"a","time":"t","event":"user=7"}"#,
        r#"{"name":"a","time":"t","event":"{\"user\": 7}"}"#,
        r#"{"name":"a","time":"t","event":{"user":"u"}}"#,
        r#"INFO {"name":"a" "time":"t"}"#,
        "INFO nothing",
    ] {
        writeln!(shown, "{}", mapped(&mut mapper, line)).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn elements_are_selected_by_their_members() {
    let mut mapper = mapper(&format!(
        "{DEFAULTS}session_id = {{ at = \"/params\", where = {{ key = \"session\" }}, then = \"/value/int\", as = \"text\" }}\nplatform = [{{ at = \"/params\", where = {{ key = \"os\", n = 2 }}, then = \"/value/text\" }}, {{ at = \"/params\", where = {{ key = \"os\" }}, then = \"/value/text\" }}]\n[[rule]]\nwhen = [{{ at = \"/params\", where = {{ key = \"session\" }}, exists = true }}]\nevent_type = {{ value = \"opened\" }}\n"
    ));
    let mut shown = String::new();
    for line in [
        r#"{"id":"1","user":"u","time":"t","params":[{"key":"x"},{"key":"os","value":{"text":"one"}},{"value":{"int":"12"},"key":"session"},{"key":"os","n":2.0,"value":{"text":"two"}},{"key":"session","value":{"int":13}},7]}"#,
        r#"{"id":"1","user":"u","time":"t","params":[{"key":"os","value":{"text":"one"}},{"key":"se\u0073sion","value":{}}]}"#,
        r#"{"id":"1","user":"u","time":"t","params":{"key":"session"}}"#,
    ] {
        writeln!(shown, "{}", mapped(&mut mapper, line)).unwrap();
    }
    insta::assert_snapshot!(shown);
}

fn native(line: &str) -> Batch {
    let mut batch = Batch::default();
    let options = Options::new("2026-03-01".parse().unwrap());
    let mut parser = Parser::new("day", options);
    parser.push(line.as_bytes(), &mut batch);
    parser.finish(&mut batch);
    batch
}

/// The mapping that leaves every line as it is.
pub(crate) fn identity() -> Definition {
    let at = |path: &str| Expression::of(vec![path.parse::<Place>().unwrap()], Conversion::Verbatim);
    let assignment =
        |field: &str, value| Assignment { field: field.to_owned(), value, span: Span::default() };
    let envelope = ENVELOPE.iter().map(|field| assignment(field.name, at(&format!("/{}", field.name))));
    let mut rules = Vec::new();
    for event_type in ENTITIES.into_iter().flat_map(|entity| entity.event_types) {
        let is = Test::Is(vec![Constant::Text(event_type.name.to_owned())]);
        let mut fields =
            vec![assignment("event_type", Expression::constant(Constant::Text(event_type.name.to_owned())))];
        fields.extend(
            event_type
                .fields
                .iter()
                .map(|field| assignment(field.name, at(&format!("/properties/{}", field.name)))),
        );
        rules.push(Rule {
            when: vec![Condition { at: "/event_type".parse().unwrap(), test: is, span: Span::default() }],
            then: Then::Event(fields),
            span: Span::default(),
        });
    }
    rules.push(Rule { when: Vec::new(), then: Then::Event(Vec::new()), span: Span::default() });
    Definition { name: "identity".to_owned(), defaults: envelope.collect(), rules, ..Definition::default() }
}

/// The same, that says less: the event's type and its payload stand where they stood.
fn short_identity() -> Definition {
    Definition { rules: identity().rules.split_off(5), ..identity() }
}

/// Rows and rejects of a line, for comparing.
fn outcome(batch: &Batch) -> String {
    let mut shown = String::new();
    for table in batch.tables() {
        for row in 0..table.rows() {
            write!(shown, "{:?}:", table.id()).unwrap();
            for (name, view) in table.envelope().columns().iter().chain(&table.own_columns()) {
                write!(shown, " {name}={}", value(view, row)).unwrap();
            }
            shown.push('\n');
        }
    }
    write!(shown, "{:?}", batch.rejects()).unwrap();
    shown
}

fn value(view: &View<'_>, row: usize) -> String {
    match view {
        View::Fixed { bytes, width } => format!("{:?}", &bytes[row * width..][..*width]),
        View::Nullable { bytes, width, nulls } => {
            format!("{:?}/{}", &bytes[row * width..][..*width], nulls[row])
        }
        View::Strings(strings) => strings.get(row).escape_ascii().to_string(),
        View::Dictionary(dictionary) => dictionary.get(row).escape_ascii().to_string(),
    }
}

/// A line through a mapping into columns.
fn through(mapping: &Arc<Mapping>, line: &str) -> Batch {
    let mut batch = Batch::default();
    let options = Options::new("2026-03-01".parse().unwrap());
    let mut parser = MappedParser::new("day", options, Mapper::new(Arc::clone(mapping)));
    parser.push(line.as_bytes(), &mut batch);
    parser.finish(&mut batch);
    batch
}

fn day() -> Vec<String> {
    let date = "2026-03-01".parse().unwrap();
    let plan = event_generator::Plan { reject_share: 0.2, ..event_generator::Plan::new(date, 1, 60) };
    let mut bytes = Vec::new();
    event_generator::Generator::new(plan).unwrap().write_day(date, 0, 1, &mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// Holds both identities against no mapping, and contract lines against columns.
fn check_identity(mappings: &[Arc<Mapping>], line: &str) -> Result<(), TestCaseError> {
    let expected = outcome(&native(line));
    for mapping in mappings {
        let given = through(mapping, line);
        prop_assert_eq!(&outcome(&given), &expected, "{}", line);
        check_contract_line(mapping, line, &given)?;
    }
    Ok(())
}

/// Holds the contract line of a line of one event against what it gives in columns.
fn check_contract_line(mapping: &Arc<Mapping>, line: &str, given: &Batch) -> Result<(), TestCaseError> {
    if given.rows() == 0 {
        return Ok(());
    }
    let mut lines = ContractLines::default();
    prop_assert!(lines.map(&mut Mapper::new(Arc::clone(mapping)), line).is_ok());
    let contract_line = std::str::from_utf8(lines.lines()).unwrap();
    prop_assert_eq!(outcome(&native(contract_line)), outcome(given), "{}\n{}", line, contract_line);
    Ok(())
}

fn identities() -> [Arc<Mapping>; 2] {
    [identity(), short_identity()].map(|definition| Arc::new(Mapping::new(&definition).unwrap()))
}

#[test]
fn the_identity_changes_nothing() {
    let (mappings, lines) = (identities(), day());
    assert!(lines.len() > 100);
    for line in &lines {
        check_identity(&mappings, line).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_identity_changes_no_mutated_line(
        line in prop::sample::select(day()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[ -~]{0,4}|\\\\u00[0-9a-f]{2}|null|\"\"|\"user_id\":1,|\"x\":[{}],"), 1..4),
    ) {
        let line = edited(line, edits);
        check_identity(&identities(), &line)?;
    }

    #[test]
    fn no_element_is_lost(
        elements in prop::collection::vec(prop::sample::select(day()), 0..4),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[ -~]{0,4}"), 0..3),
    ) {
        let mapping = Definition {
            input: crate::definition::Input { each: Some("/data".parse().unwrap()), ..Default::default() },
            ..identity()
        };
        let mut mapper = Mapper::new(Arc::new(Mapping::new(&mapping).unwrap()));
        let elements: Vec<String> = elements.into_iter().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).collect();
        let line = edited(format!("{{\"sensor\":1,\"data\":[{}]}}", elements.join(",")), edits);
        let mut lines = ContractLines::default();
        let read = lines.map(&mut mapper, &line);
        let expected = serde_json::from_str::<serde_json::Value>(&line).ok();
        match (read, expected.as_ref().and_then(|line| line["data"].as_array())) {
            (Ok(()), Some(array)) => {
                prop_assert_eq!(lines.count() + lines.rejected().count(), array.len(), "{}", line);
                for line in std::str::from_utf8(lines.lines()).unwrap().lines() {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{}", line);
                }
            }
            (Err(violation), _) => prop_assert!(violation.reason.is_about_the_line(), "{}", line),
            (Ok(()), None) => prop_assert!(false, "{}", line),
        }
    }
}

fn edited(mut line: String, edits: Vec<(prop::sample::Index, usize, String)>) -> String {
    for (index, cut, text) in edits {
        let at = index.index(line.len() + 1);
        let end = (at + cut).min(line.len());
        if line.is_char_boundary(at) && line.is_char_boundary(end) {
            line.replace_range(at..end, &text);
        }
    }
    line
}

#[test]
fn a_trial_tells_lines_that_give_nothing_from_events() {
    let mapping = mapping(&format!(
        "{DEFAULTS}[[rule]]\nwhen = [{{ at = \"/type\", is = \"identify\" }}]\ndrop = \"identify\"\n\
         [[rule]]\nwhen = [{{ at = \"/type\", is = \"track\" }}]\nevent_type = {{ value = \"opened\" }}\n"
    ));
    let options = Options::new("2026-03-01".parse().unwrap());
    let mut parser = MappedParser::new("day", options.clone(), Trial::new(mapping, options));
    let mut batch = Batch::default();
    let mut lines = String::new();
    for kind in ["identify", "track", "batch"] {
        writeln!(lines, r#"{{"type":"{kind}","id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","user":"u","time":"2026-03-01T09:30:00Z"}}"#)
            .unwrap();
    }
    parser.push(lines.as_bytes(), &mut batch);
    parser.finish(&mut batch);
    let trial = parser.mapper();
    let given = std::str::from_utf8(trial.lines()).unwrap();
    assert_eq!((trial.count(), given.lines().count()), (1, 1), "{given}");
    assert!(given.contains(r#""event_type":"opened""#), "{given}");
    assert_eq!(trial.mapper().dropped(), BTreeMap::from([("identify", 1)]));
    assert_eq!(batch.rejects().len(), 1);
}
