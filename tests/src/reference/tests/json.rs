//! The grammar check, where `serde_json` alone would say something else or nothing.

use crate::reference::json::{Given, Members, check};

#[test]
fn values_of_each_kind_are_json() {
    for text in
        ["null", "true", "0", "-0.5e+3", "\"\"", "[]", "{}", " [1 ,{\"a\":[]}] ", "\"\\ud83d\\ude00\""]
    {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_no_json() {
    for text in
        ["", " ", "nul", "01", "1.", ".5", "+1", "[1,]", "{\"a\"}", "{a:1}", "\"\t\"", "\"\\x\"", "[]]"]
    {
        assert_eq!(check(text), Err("invalid_json"), "{text}");
    }
}

#[test]
fn numbers_that_no_float_holds_are_json() {
    assert_eq!(check("[1e999,-1e999,123456789012345678901234567890]"), Ok(()));
}

#[test]
fn lone_surrogates_are_none_in_keys_and_in_what_nobody_reads() {
    for text in
        ["\"\\ud800\"", "{\"a\":{\"\\udc00\":1}}", "[[\"\\ud83d\\ud83d\\ude00\"]]", "\"\\ud83d\\\\ude00\""]
    {
        assert_eq!(check(text), Err("invalid_json"), "{text}");
    }
    assert_eq!(check("\"\\\\ud800\""), Ok(()), "a backslash and five letters");
}

#[test]
fn the_129th_level_is_too_deep() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(check(&nested(128)), Ok(()));
    assert_eq!(check(&nested(129)), Err("nesting_too_deep"));
}

#[test]
fn the_fault_further_left_counts() {
    let deep = "[".repeat(129);
    assert_eq!(check(&format!("{deep},,")), Err("nesting_too_deep"));
    assert_eq!(check(&format!("{{\"a\":1,,\"b\":{deep}")), Err("invalid_json"));
    assert_eq!(check(&format!("[\"\\ud800\",{deep}")), Err("invalid_json"));
    assert_eq!(check(&"[".repeat(128)), Err("invalid_json"));
}

#[test]
fn members_keep_their_order_their_text_and_their_repeats() {
    let members = Members::of(r#"{ "b" : [ 1 ] , "\u0062":1e999,"a":"\/" }"#);
    let all: Vec<_> =
        members.0.iter().map(|m| (m.key.as_str(), m.key_text.as_str(), m.value_text.as_str())).collect();
    assert_eq!(all, [("b", "\"b\"", "[ 1 ]"), ("b", "\"\\u0062\"", "1e999"), ("a", "\"a\"", "\"\\/\"")]);
}

#[test]
fn values_by_type() {
    assert_eq!(Given::of("null"), Given::Null);
    assert_eq!(Given::of("-1e999"), Given::Number("-1e999".into()));
    assert_eq!(Given::of(r#""\u0041\n""#), Given::Text("A\n".into()));
    assert_eq!(Given::of("[1]"), Given::Array);
    assert_eq!(Given::of("{ }"), Given::Object("{ }".into()));
}
