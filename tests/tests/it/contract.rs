//! The parser keeps the event contract: the labelled corpus, and no difference from the plain reference on
//! generated and damaged files, however they are cut.

use event_schema::event::Event;
use integration_tests::corpus::Expected;
use integration_tests::lines::{SHORT_LINE_LIMIT, any_file, mutated_line};
use integration_tests::reference::{Options, Outcome};
use integration_tests::{corpus, parsed, reference};
use proptest::collection::vec;
use proptest::prelude::*;

const LARGE_BATCH: usize = 1 << 30;

#[test]
fn the_parser_gives_every_case_of_the_corpus_its_outcome() {
    let cases = corpus::cases();
    let mut failures = Vec::new();
    for case in &cases {
        for pieces in [&[usize::MAX][..], &[1], &[7, 64, 1], &[100_000]] {
            let outcome = parsed::parse(&case.input, &case.options, pieces, LARGE_BATCH);
            if let Err(difference) = case.check(&outcome) {
                failures.push(format!(
                    "{}:{} {} in {pieces:?}: {difference}",
                    case.file.display(),
                    case.line,
                    case.name
                ));
            }
        }
    }
    println!("{} cases, each in 4 ways of cutting", cases.len());
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Typed events keep the rules of the contract for fields; limits of a line and of the batch date are the parser's.
#[test]
fn a_line_of_the_corpus_is_a_typed_event_if_its_fields_are_valid() {
    const OF_THE_PARSER: [&str; 4] = ["invalid_utf8", "line_too_long", "nesting_too_deep", "invalid_json"];
    let (mut events, mut refused) = (0, 0);
    for case in corpus::cases() {
        let lines = case.input.split(|byte| *byte == b'\n').zip(&case.expected);
        for (line, expected) in lines {
            let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
            let Ok(line) = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) else { continue };
            let parsed = line.parse::<Event>();
            let place = format!("{}:{} {}: {line:.300}", case.file.display(), case.line, case.name);
            match (expected, parsed) {
                (Expected::Accept { .. }, Ok(_)) => events += 1,
                // Producers' payloads have narrower limits than the loader's.
                (Expected::Accept { table, .. }, Err(error)) => {
                    assert!(table == "events" && error.field == "properties", "{place}\n{error}");
                }
                (Expected::Reject { violations, .. }, Ok(_)) => {
                    let is_of_the_parser = |(reason, field): &(String, String)| {
                        OF_THE_PARSER.contains(&reason.as_str())
                            || (reason == "out_of_range" && field == "event_time")
                    };
                    assert!(violations.iter().all(is_of_the_parser), "{place}\n{violations:?}");
                }
                (Expected::Reject { violations, .. }, Err(error)) => {
                    let found = (error.reason.to_string(), error.field.clone());
                    let is_of_the_line = error.reason.is_about_the_line();
                    // A single line may be of any length: what stands in it is looked at.
                    let is_too_long = violations[0].0 == "line_too_long";
                    assert!(
                        is_of_the_line || is_too_long || violations.contains(&found),
                        "{place}\n{error}\n{violations:?}"
                    );
                    refused += 1;
                }
                (Expected::Blank, _) => {}
            }
        }
    }
    println!("{events} typed events, {refused} refused lines");
    assert!(events > 50 && refused > 100, "{events} typed events, {refused} refused lines");
}

fn short_lines() -> Options {
    Options { max_line_bytes: SHORT_LINE_LIMIT, ..Options::default() }
}

fn assert_same(parsed: &Outcome, reference: &Outcome, source: &[u8]) -> Result<(), TestCaseError> {
    if parsed != reference {
        let source = String::from_utf8_lossy(source);
        let differing = parsed
            .rows
            .iter()
            .zip(&reference.rows)
            .filter(|(ours, theirs)| (ours.table, ours.line) == (theirs.table, theirs.line))
            .flat_map(|(ours, theirs)| ours.columns.iter().zip(&theirs.columns))
            .find(|(ours, theirs)| ours != theirs);
        return Err(TestCaseError::fail(format!(
            "first differing value, parser and reference: {differing:?}\nparser rejects {:#?}\nreference rejects {:#?}\n\
             lines {} / {}, blank {} / {}, rows {} / {}\n{source}",
            parsed.rejects,
            reference.rejects,
            parsed.lines,
            reference.lines,
            parsed.blank_lines,
            reference.blank_lines,
            parsed.rows.len(),
            reference.rows.len(),
        )));
    }
    Ok(())
}

#[test]
fn any_file_cut_anywhere_is_read_as_the_reference_reads_it() {
    let config = ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() };
    let (source, pieces) = (any_file(), vec(1_usize..5000, 1..8));
    proptest!(config, |(source in source, pieces in pieces, batch_bytes in prop_oneof![Just(1), Just(4000), Just(LARGE_BATCH)])| {
        let expected = reference::read(&source, &short_lines());
        assert_same(&parsed::parse(&source, &short_lines(), &pieces, batch_bytes), &expected, &source)?;
        assert_same(&parsed::parse(&source, &short_lines(), &[usize::MAX], LARGE_BATCH), &expected, &source)?;
    });
}

#[test]
fn damaged_lines_are_read_as_the_reference_reads_them() {
    let config = ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(line in mutated_line())| {
        let expected = reference::read(&line, &short_lines());
        assert_same(&parsed::parse(&line, &short_lines(), &[usize::MAX], LARGE_BATCH), &expected, &line)?;
    });
}
