//! The index against a byte-by-byte reading of the same chunk.

use proptest::prelude::*;

use super::*;

fn positions(chunk: &[u8], wanted: impl Fn(usize) -> bool) -> Vec<u32> {
    (0..chunk.len()).filter(|at| wanted(*at)).map(|at| at as u32).collect()
}

/// Whether an odd number of backslashes precedes a position.
fn is_escaped(chunk: &[u8], at: usize) -> bool {
    chunk[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn has_the_positions_that_a_byte_by_byte_reading_has(
        chunk in prop::collection::vec(prop_oneof![
            3 => Just(b'"'),
            3 => Just(b'\\'),
            1 => Just(b'\n'),
            1 => Just(b'\r'),
            1 => Just(0x7f),
            1 => Just(0x1f),
            1 => Just(b' '),
            1 => any::<u8>()
        ], 0..300)
    ) {
        let special = |byte| byte != b'\n' && (byte < 0x20 || byte == b'\\' || byte == 0x7f);
        for backend in Backend::available() {
            let mut index = Index::default();
            index.build(backend, b"\"left over\\\n", 12);
            index.build(backend, &chunk, chunk.len());
            let is_quote = |at: usize| chunk[at] == b'"' && !is_escaped(&chunk, at);
            let tokens = positions(&chunk, |at| chunk[at] == b'\n' || is_quote(at));
            prop_assert_eq!(index.tokens.as_slice(), &tokens, "{:?}", backend);
            let newlines: Vec<u32> = index.line_ends.as_slice().iter().map(|end| end.at).collect();
            prop_assert_eq!(newlines, positions(&chunk, |at| chunk[at] == b'\n'), "{:?}", backend);
            prop_assert_eq!(index.special.as_slice(), &positions(&chunk, |at| special(chunk[at])), "{:?}", backend);

            let text_of = |line: &IndexedLine| &chunk[line.start as usize..line.end as usize];
            let lines: Vec<_> = index.lines(chunk.len()).collect();
            let mut expected: Vec<_> = chunk.split(|byte| *byte == b'\n').collect();
            if expected.last() == Some(&&[][..]) {
                expected.pop();
            }
            prop_assert_eq!(lines.iter().map(text_of).collect::<Vec<_>>(), expected);
            for (number, line) in lines.iter().enumerate() {
                let inside = |at: &u32| (line.start..line.end).contains(at);
                let of_line = |all: &[u32]| all.iter().copied().filter(inside).collect::<Vec<u32>>();
                prop_assert_eq!(line.number as usize, number);
                prop_assert_eq!(index.quotes(line), of_line(&tokens));
                prop_assert_eq!(index.special(line), of_line(index.special.as_slice()));
                let newline = line.has_newline.then_some(line.end);
                prop_assert_eq!(index.tokens(line), [index.quotes(line), newline.as_slice()].concat());
                prop_assert_eq!(line.has_newline, chunk.get(line.end as usize) == Some(&b'\n'));
                prop_assert!(!line.is_ascii || text_of(line).is_ascii());
            }
        }
    }
}
