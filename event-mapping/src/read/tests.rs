//! What is wrong with a mapping is told all at once, with its place and what is allowed there.

use std::fmt::Write;

use crate::Mapping;

fn faults(text: &str) -> String {
    let read = Mapping::from_toml("acme.toml", text, &mut |name| match name {
        "base.toml" => {
            Ok("version = 1\nname = \"base\"\nextends = \"acme.toml\"\n[defaults]\nuser = 1\n".to_owned())
        }
        _ => Err("there is no such file".to_owned()),
    });
    let mut said = String::new();
    for fault in read.expect_err(text) {
        writeln!(said, "{fault}").unwrap();
    }
    said
}

#[test]
fn every_fault_is_told_with_its_place() {
    let bad = [
        // Not TOML.
        "version = 1\nname = \"a\nrule = [\n",
        // Nothing of what every mapping has.
        "vesion = 1\n",
        // Input, and the file itself.
        "version = 2\nname = \"\"\nnamespace = \"x\"\n[input]\nprefix = \"drop\"\neach = \"^/data\"\nembedded = [\"event\", 3]\nskip = 1\n[[rule]]\ndrop = \"\"\n",
        // Fields and places.
        "version = 1\nname = \"a\"\n[defaults]\nuser = \"/u\"\nuser_id = \"userId\"\nevent_id = 7\nevent_time = []\ncountry = { as = \"uper\", at = \"/c\" }\nplatform = { at = \"/p~2\" }\n[[rule]]\nevent_type = \"opened\"\n",
        // Conversions and their settings.
        "version = 1\nname = \"a\"\n[defaults]\nevent_id = { as = \"made_id\", at = \"/id\" }\nuser_id = { value = \"x\", as = \"text\" }\nevent_time = { at = \"/t\", as = \"local_time\" }\nsession_id = { at = \"/t\", as = \"local_time\", zone = \"Mars/Olympus\" }\nscore = { as = \"share\", of = \"/a\" }\nduration_ms = { at = \"/d\", as = \"duration\", unit = \"days\", digits = 2 }\namount = { at = \"/d\", as = \"minor_units\", digits = 9 }\nis_trial = { at = \"/d\", as = \"one_of\" }\nperiod_end = { at = \"/d\", as = \"date\", plus = \"1M\" }\nplan = { as = \"lower\" }\ncurrency = { value = \"USD\", otherwise = \"/c\" }\nplatform = { at = [\"/a\", \"/b\"], where = { k = 1 }, colour = 1 }\napp_version = { at = \"/a\", then = \"/b\" }\n[[rule]]\ndrop = \"all\"\n",
        // Conditions.
        "version = 1\nname = \"a\"\n[[rule]]\nwhen = [{ at = \"/a\" }, { is = 1 }, { at = \"/a\", is = [], exists = \"yes\" }, { at = \"/a\", is = 1, starts_with = \"x\" }, { at = \"/a\", equals = 1 }, 3]\ndrop = \"x\"\nuser_id = \"/u\"\n[[rule]]\nwhen = 3\ndrop = \"y\"\n",
        // What it extends.
        "version = 1\nname = \"a\"\nextends = \"segmnt\"\n",
        "version = 1\nname = \"a\"\nextends = \"base.toml\"\n",
    ];
    let said: Vec<_> = bad.iter().map(|text| faults(text)).collect();
    insta::assert_snapshot!(said.join("\n"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(edits in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), "[ -~\\n]{0,6}"), 1..6)) {
        let mut text = crate::definition::tests::EVERYTHING.to_owned();
        for (index, piece) in edits {
            let at = index.index(text.len() + 1);
            let end = (at + piece.len() / 2).min(text.len());
            text.replace_range(at..end, &piece);
        }
        if let Err(faults) = Mapping::from_toml("acme.toml", &text, &mut |_| Err("none".to_owned())) {
            proptest::prop_assert!(faults.iter().all(|fault| fault.line >= 1 && !fault.message.is_empty()));
        }
    }
}
