//! The parser keeps the event contract: the labelled corpus, and no difference from the plain reference on
//! generated and damaged files, however they are cut.

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
