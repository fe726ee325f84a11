//! The built-in mappings on sample lines of every kind that their formats have.

use std::fmt::Write;
use std::sync::Arc;

use event_parser::{Batch, Options, Parser};

use crate::{ContractLines, Mapper, Mapping, builtin};

/// What sample lines of a format give: contract lines, drops and rejects.
fn shown(name: &str, samples: &str) -> String {
    let mut mapper = Mapper::new(Arc::new(Mapping::builtin(name).unwrap()));
    let mut shown = String::new();
    let mut lines = ContractLines::default();
    for line in samples.lines() {
        lines.clear();
        writeln!(shown, "{line}").unwrap();
        if let Err(violation) = lines.map(&mut mapper, line) {
            writeln!(shown, "  rejected: {violation}: {}", violation.message).unwrap();
        }
        for violation in lines.rejected().flatten() {
            writeln!(shown, "  rejected: {violation}: {}", violation.message).unwrap();
        }
        for given in std::str::from_utf8(lines.lines()).unwrap().lines() {
            writeln!(shown, "  {given}").unwrap();
            for violation in violations(given) {
                writeln!(shown, "    rejected: {violation}: {}", violation.message).unwrap();
            }
        }
    }
    writeln!(shown, "dropped: {:?}", mapper.dropped()).unwrap();
    assert!(
        mapper.taken_by_rule().iter().all(|taken| *taken > 0),
        "{name}: a rule has no sample: {:?}",
        mapper.taken_by_rule()
    );
    shown
}

fn violations(line: &str) -> Vec<event_parser::Violation> {
    let mut batch = Batch::default();
    let mut parser = Parser::new("", Options::new("2026-03-01".parse().unwrap()));
    parser.push(line.as_bytes(), &mut batch);
    parser.finish(&mut batch);
    batch.rejects().iter().flat_map(|reject| reject.violations.clone()).collect()
}

macro_rules! samples {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let samples = include_str!(concat!("samples/", stringify!($name), ".jsonl"));
            insta::assert_snapshot!(shown(stringify!($name), samples));
        }
    )*};
}

samples!(segment posthog amplitude mixpanel ga4 snowplow edx xapi caliper);

#[test]
fn every_name_is_that_of_its_mapping() {
    for name in builtin::NAMES {
        assert_eq!(Mapping::builtin(name).unwrap().name(), name);
    }
    assert!(Mapping::builtin("other").is_none());
}
