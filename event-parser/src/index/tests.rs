//! The index against a byte-by-byte look at the same chunk.

use proptest::prelude::*;

use super::*;

fn positions(chunk: &[u8], wanted: impl Fn(usize) -> bool) -> Vec<u32> {
    (0..chunk.len()).filter(|at| wanted(*at)).map(|at| at as u32).collect()
}

/// Whether an odd number of backslashes stands before a place.
fn is_escaped(chunk: &[u8], at: usize) -> bool {
    chunk[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn finds_what_a_byte_by_byte_look_finds(
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
        let odd = |byte| byte != b'\n' && (byte < 0x20 || byte == b'\\' || byte == 0x7f);
        for backend in Backend::available() {
            let mut index = Index::default();
            index.build(backend, b"\"left over\\\n");
            index.build(backend, &chunk);
            let quotes = positions(&chunk, |at| chunk[at] == b'"' && !is_escaped(&chunk, at));
            prop_assert_eq!(index.quotes.as_slice(), &quotes, "{:?}", backend);
            let newlines: Vec<u32> = index.line_ends.as_slice().iter().map(|end| end.at).collect();
            prop_assert_eq!(newlines, positions(&chunk, |at| chunk[at] == b'\n'), "{:?}", backend);
            prop_assert_eq!(index.odd.as_slice(), &positions(&chunk, |at| odd(chunk[at])), "{:?}", backend);

            let lines: Vec<_> = index.lines(chunk.len()).map(|line| &chunk[line.start..line.end]).collect();
            let mut expected: Vec<_> = chunk.split(|byte| *byte == b'\n').collect();
            if expected.last() == Some(&&[][..]) {
                expected.pop();
            }
            prop_assert_eq!(lines, expected);
            for line in index.lines(chunk.len()) {
                let inside = |at: &&u32| (line.start..line.end).contains(&(**at as usize));
                prop_assert_eq!(line.quotes.len(), quotes.iter().filter(inside).count());
                prop_assert_eq!(line.odd.len(), index.odd.as_slice().iter().filter(inside).count());
                prop_assert!(line.quotes.iter().all(|at| inside(&at)) && line.odd.iter().all(|at| inside(&at)));
                prop_assert!(!line.is_ascii || chunk[line.start..line.end].is_ascii());
            }
        }
    }
}
