//! The corpus against the reference, and the loader of the corpus against its own mistakes.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Case, Expected, cases, parse};
use crate::reference::{REASONS, Value, read};

#[test]
fn the_reference_meets_every_case() {
    let failures: Vec<String> =
        cases().iter().filter_map(|case| case.check(&read(&case.input, &case.options)).err()).collect();
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_reason_and_table_has_cases() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        for expected in case.expected {
            match expected {
                Expected::Accept { table, .. } => seen.insert(table),
                Expected::Reject { violations, .. } => seen.insert(violations[0].0.clone()),
                Expected::Blank => seen.insert("blank".into()),
            };
        }
    }
    let tables = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];
    for wanted in REASONS.iter().chain(&tables).chain(&["blank"]) {
        assert!(seen.contains(*wanted), "no case for {wanted}");
    }
}

fn one(text: &str) -> Case {
    let mut cases = parse::file(Path::new("files/test.case"), text).expect("the text follows the notation");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

fn problem(file: &str, text: &str) -> String {
    parse::file(Path::new(file), text).expect_err("the text does not follow the notation").to_string()
}

#[test]
fn a_case_is_read_as_it_is_written() {
    let case = one("# Intro\n\ndefine a «2 × \"x\"»y\n\n# name\noption max_line_bytes 9\n\
                    option batch_date 2024-02-29\n> «a» \n>x «a»«ff 00»«cr»«no newline»\n\
                    accept events\n  user_id 'it''s «61»'\n  score 1e0\n  event_time 1970-01-01T00:00:01Z\n\
                    reject missing_field user_id\n  and wrong_type country\n  offset 7\n  raw ''\n");
    assert_eq!((case.name.as_str(), case.line), ("name", 5));
    assert_eq!(case.input, b"\xc2\xaba\xc2\xbb \nxxy\xff\x00\r");
    assert_eq!((case.options.batch_date, case.options.max_line_bytes), ((2024, 2, 29), 9));
    let columns = vec![
        ("user_id".to_owned(), Value::text("it''s a")),
        ("score".to_owned(), Value::Float(1.0)),
        ("event_time".to_owned(), Value::Int(1000)),
    ];
    let violations =
        vec![("missing_field".into(), "user_id".into()), ("wrong_type".into(), "country".into())];
    assert_eq!(
        case.expected,
        [
            Expected::Accept { table: "events".into(), columns },
            Expected::Reject { violations, offset: Some(7), raw: Some(Vec::new()) },
        ]
    );
}

#[test]
fn all_stands_for_every_line() {
    let case = one("# name\n> 1\n> 2\nall reject not_an_object\n");
    assert_eq!(case.expected.len(), 2);
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    let file = "files/test.case";
    assert!(
        problem(file, "# a\n> x\nreject bad_json\n").starts_with("files/test.case:3: \"bad_json\" is no")
    );
    assert!(problem(file, "# a\n>x «b»\nblank\n").contains(":2: «b» is no name"));
    assert!(problem(file, "# a\n>x «ff\nblank\n").contains("without its »"));
    assert!(problem(file, "# a\n> x\n> y\nblank\n").contains(":1: 2 input lines want as many"));
    assert!(problem(file, "> x\nblank\n").contains("wants a name"));
    assert!(problem(file, "# a\n> x\nexcept events\n").contains(":3: \"except events\" begins with no word"));
    assert!(problem(file, "# a\n> x\naccept events\n  user_id u\n").contains(":4: \"u\" is no value"));
    assert!(problem("accept/a.case", "# a\n> x\nblank\n").contains("under accept/"));
    assert!(problem("reject/wrong_type/a.case", "# a\n> x\nreject invalid_json\n").contains("wrong_type/"));
    assert!(problem("reject/oops/a.case", "# a\n> x\nreject invalid_json\n").contains("reject/REASON/"));
}

/// Whatever differs from a good outcome must be found.
#[test]
fn a_wrong_outcome_is_told() {
    let case = one("# name\n> {\"event_id\":\"0195b8e0-7d6a-4c1e-9f00-3b2a1c5d7e90\",\"event_type\":\"x\",\
                    \"user_id\":\"u\",\"event_time\":\"2026-01-01T00:00:00Z\"}\n> {}x\n>\n\
                    accept events\n  user_id 'u'\nreject invalid_json\nblank\n");
    let good = read(&case.input, &case.options);
    assert_eq!(case.check(&good), Ok(()));

    let differs = |change: &dyn Fn(&mut crate::reference::Outcome)| {
        let mut outcome = good.clone();
        change(&mut outcome);
        case.check(&outcome).expect_err("the outcome differs")
    };
    assert!(differs(&|o| o.lines = 2).contains("files/test.case:1: name\n  expected 3 lines, found 2"));
    assert!(differs(&|o| o.blank_lines = 0).contains("blank lines"));
    assert!(differs(&|o| o.rows[0].table = "sessions").contains("one of sessions"));
    assert!(differs(&|o| o.rows[0].columns[2].1 = Value::text("v")).contains("user_id: expected \"u\""));
    assert!(differs(&|o| o.rows[0].line = 2).contains("line 1"));
    assert!(differs(&|o| o.rows.clear()).contains("expected 1 rows, found 0"));
    assert!(differs(&|o| o.rejects[0].violations[0].0 = "invalid_utf8").contains("violations"));
    assert!(differs(&|o| o.rejects[0].field = "x".into()).contains("first violation"));
    assert!(differs(&|o| o.rejects[0].byte_offset += 1).contains("byte offset"));
    assert!(differs(&|o| o.rejects[0].raw.push(b'\n')).contains("raw bytes"));
    assert!(differs(&|o| o.rejects.push(o.rejects[0].clone())).contains("expected 1 rejects, found 2"));
}
