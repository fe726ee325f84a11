//! What a mapping cannot do is told before any source is read.

use std::fmt::Write;

use crate::Mapping;

const DEFAULTS: &str = "version = 1\nname = \"a\"\n[defaults]\nevent_id = { as = \"made_id\" }\nuser_id = \"/u\"\nevent_time = \"/t\"\n";

fn faults(rules: &str) -> String {
    let mut said = String::new();
    match Mapping::from_toml("acme.toml", &format!("{DEFAULTS}{rules}"), &mut |_| Err("none".to_owned())) {
        Ok(_) => said.push_str("nothing\n"),
        Err(faults) => faults.iter().for_each(|fault| writeln!(said, "{fault}").unwrap()),
    }
    said
}

#[test]
fn what_cannot_be_is_told_with_what_can() {
    let bad = [
        // No rules; required fields that nothing gives.
        "",
        "[[rule]]\nproperties = \"/p\"\n",
        "[[rule]]\nevent_type = \"purchase\"\n",
        "[[rule]]\nevent_type = \"session\"\nstarted_at = \"/t\"\n",
        // Fields that the event's type does not have.
        "[[rule]]\nevent_type = \"refund\"\npurchase_id = \"/p\"\namount = \"/a\"\ncurrency = \"/c\"\nplan = \"/p\"\n",
        "[[rule]]\nevent_type = \"opened\"\nscore = \"/s\"\n",
        "[[rule]]\nevent_type = \"/kind\"\nscore = \"/s\"\n",
        // Conversions that cannot give the field's type, and constants that the contract refuses.
        "[[rule]]\nevent_type = \"task_result\"\ntask_id = { at = \"/d\", as = \"duration\" }\nis_correct = { at = \"/c\", as = \"text\" }\nattempt = { at = \"/c\", as = \"text\" }\nscore = { at = \"/c\", as = \"lower\", otherwise = { value = 2 } }\nhints_used = { value = 70000 }\n",
        "[[rule]]\nevent_type = \"x\"\ncountry = { value = \"kz\" }\nuser_id = { value = \"\" }\nplatform = { at = \"/p\", as = \"one_of\", table = { a = 1, b = \"b\" } }\nproperties = { at = \"/p\", as = \"text\" }\n",
        // Rules that no line can reach.
        "[[rule]]\nwhen = [{ at = \"/a\", is = [1, 2] }]\ndrop = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\", is = 1 }, { at = \"/b\", exists = true }]\ndrop = \"b\"\n",
        "[[rule]]\ndrop = \"a\"\n[[rule]]\nevent_type = \"b\"\n",
        "[[rule]]\nwhen = [{ at = \"/a\", is = 1 }, { at = \"/a\", is_not = [1, 2] }]\ndrop = \"a\"\n",
        "[[rule]]\nwhen = [{ at = \"/a\", exists = true }]\ndrop = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\", starts_with = \"x\" }]\ndrop = \"b\"\n",
        // Places.
        "[[rule]]\nevent_type = \"x\"\nplatform = \"^/p\"\nsession_id = \"/l/0/x\"\napp_version = { at = \"/l\", where = { k = \"v\" }, then = \"/x\" }\n",
    ];
    let said: Vec<_> = bad.iter().map(|text| faults(text)).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn rules_that_differ_can_all_be_reached() {
    for good in [
        "[[rule]]\nwhen = [{ at = \"/a\", is = \"\" }]\ndrop = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\", exists = false }]\ndrop = \"b\"\n",
        "[[rule]]\nwhen = [{ at = \"/a\", exists = true }]\ndrop = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\", is_not = 1 }]\ndrop = \"b\"\n",
        "[[rule]]\nwhen = [{ at = \"/a\", starts_with = \"xy\" }]\ndrop = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\", starts_with = \"x\" }]\ndrop = \"b\"\n[[rule]]\ndrop = \"c\"\n",
    ] {
        assert_eq!(faults(good), "nothing\n", "{good}");
    }
    // A file may replace what it extends.
    let over = "version = 1\nname = \"a\"\nextends = \"segment\"\n[[rule]]\nwhen = [{ at = \"/type\", is = \"track\" }]\ndrop = \"all\"\n";
    assert!(Mapping::from_toml("acme.toml", over, &mut |_| Err("none".to_owned())).is_ok());
}
