//! The walk against the contract's strict parser and `serde_json`, and what it leaves behind.

use event_parser::{Batch, Options, Parser};
use proptest::prelude::*;

use super::*;
use crate::compile::Trie;
use crate::definition::Place;

fn trie(places: &[&str]) -> Trie {
    crate::compile::trie_of_places(&places.iter().map(|text| text.parse().unwrap()).collect::<Vec<Place>>())
}

/// Whether the contract's parser takes a line as JSON.
fn is_json(line: &str) -> bool {
    let mut batch = Batch::default();
    let mut parser = Parser::new("", Options::new("2026-03-01".parse().unwrap()));
    parser.push(line.as_bytes(), &mut batch);
    parser.finish(&mut batch);
    batch.rejects().iter().all(|reject| {
        !matches!(
            reject.first().reason,
            event_schema::Reason::InvalidJson | event_schema::Reason::NestingTooDeep
        )
    })
}

/// Reads a line with places that lead everywhere, and with none: both must agree.
fn walks(line: &str) -> bool {
    let mut walker = Walker::default();
    let all = walker.read(&trie(&["/a/a/a", "/a/b", "/b/0/a", "/b/1", "/c", "/\u{e9}"]), 0, line).is_ok();
    let none = walker.read(&trie(&[]), 0, line).is_ok();
    assert_eq!(all, none, "{line}");
    all
}

#[test]
fn the_walk_takes_what_the_strict_parser_takes() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let cases = [
        r#"{"a":1}"#,
        r#"{"a":01}"#,
        r#"{"a":-0}"#,
        r#"{"a":-}"#,
        r#"{"a":1.}"#,
        r#"{"a":1e5}"#,
        r#"{"a":1e}"#,
        r#"{"a":.5}"#,
        r#"{"a":"\ud83d\ude00"}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\ude00"}"#,
        r#"{"a":"\ud83d\u0041"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"	"}"#,
        "{\"a\":\"\u{7f}\"}",
        r#"{"a":tru}"#,
        r#"{"a":nul}"#,
        r#"{"a":true,}"#,
        r#"{"a" 1}"#,
        r"{a:1}",
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":{"b":}}"#,
        r#"{"a":1}}"#,
        r#"{"a":1} x"#,
        r#"  {"a" : [ ] , "b" : { } }  "#,
        r#"{"a":"unclosed}"#,
        r#"{"a""#,
        r#"{"\u0061":1,"\ud800":2}"#,
        "{",
        "[1,2]",
        "7",
        "\"x\"",
    ];
    for line in cases {
        assert_eq!(walks(line), is_json(line), "{line}");
    }
    for levels in [63, 64, 126, 127, 128, 129, 130, 200] {
        for line in [format!(r#"{{"a":{}}}"#, deep(levels)), format!(r#"{{"b":{}}}"#, deep(levels))] {
            assert_eq!(walks(&line), is_json(&line), "{levels}");
        }
        let objects = format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert_eq!(walks(&objects), is_json(&objects), "{levels}");
    }
}

#[test]
fn entries_are_the_members_on_the_way_to_places() {
    let trie = trie(&["/a/b", "/list/1/c"]);
    let mut walker = Walker::default();
    let line = r#"{ "x" : {"a":1}, "\u0061":{"b":"t\n","o":[1,2]}, "list":[{"c":1},{"c":2,"d":[]},3] }"#;
    walker.read(&trie, 0, line).unwrap();
    let shown: Vec<_> = walker
        .entries
        .list
        .iter()
        .map(|entry| {
            (walker.entries.key(line, entry), entry.kind, walker.entries.value(line, entry), entry.next)
        })
        .collect();
    insta::assert_debug_snapshot!(shown);
}

#[test]
fn texts_that_hold_json_are_read_as_such() {
    let mut places = vec!["/event/id".parse::<Place>().unwrap(), "/event/state/n".parse().unwrap()];
    let embedded = vec!["/event".parse().unwrap(), "/event/state".parse().unwrap()];
    places.push("/other".parse().unwrap());
    let trie = crate::compile::trie_of_embedded(&places, &embedded);
    let mut walker = Walker::default();
    for line in [
        r#"{"event":"{\"id\": \"é\\n\",\n \"state\": \"{\\\"n\\\": 1}\"}","other":1}"#,
        r#"{"event":"{\"id\": }","other":1}"#,
        r#"{"event":"input_1=choice_0","other":1}"#,
        r#"{"event":"","other":1}"#,
        r#"{"event":{"id":1,"state":"[1]"},"other":1}"#,
        // A newline inside of a string of the text: that is no JSON, and stays a text.
        r#"{"event":"{\"id\": \"a\nb\"}","other":1}"#,
    ] {
        walker.read(&trie, 0, line).unwrap();
        let entries = &walker.entries;
        let shown: Vec<_> =
            entries.list.iter().map(|entry| (entry.kind, entry.level, entries.value(line, entry))).collect();
        insta::assert_debug_snapshot!(shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn mutated_lines_are_judged_alike(
        value in json(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\x00-\\x7f]|\\\\u[dD][89a-fA-F][0-9a-f]{2}|[{}\\[\\]\",:\\\\]"), 0..4),
    ) {
        let mut line = format!("{{\"a\":{value},\"b\":{value}}}");
        for (index, text) in edits {
            let at = index.index(line.len() + 1);
            if line.is_char_boundary(at) {
                line.insert_str(at, &text);
            }
        }
        let line = line.replace('\n', " ");
        prop_assert_eq!(walks(&line), is_json(&line), "{}", line);
    }

    #[test]
    fn texts_are_written_and_read_back(text in any::<String>()) {
        let mut json = Vec::new();
        write_string(text.as_bytes(), &mut json);
        let json = String::from_utf8(json).unwrap();
        prop_assert_eq!(&serde_json::from_str::<String>(&json).unwrap(), &text);
        let mut read = String::new();
        unescape(&json[1..json.len() - 1], &mut read);
        prop_assert!(spells(&json[1..json.len() - 1], &text) && !spells(&json[1..json.len() - 1], &(text.clone() + "x")));
        prop_assert_eq!(read, text);
    }
}

/// Any JSON value, in any spelling.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "\"([a-c\u{e9} ]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-f]{2}|\\\\ud83d\\\\ude00){0,12}\"",
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
