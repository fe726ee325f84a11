//! The index against a byte-by-byte look at the same chunk.

use proptest::prelude::*;

use super::*;

fn positions(chunk: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u32> {
    (0..chunk.len()).filter(|at| wanted(chunk[*at])).map(|at| at as u32).collect()
}

proptest! {
    #[test]
    fn finds_what_a_byte_by_byte_look_finds(
        chunk in prop::collection::vec(prop_oneof![
            Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b'\r'), Just(0x7f), Just(0x1f), Just(b' '), any::<u8>()
        ], 0..300)
    ) {
        let mut index = Index::default();
        index.build(b"\"left over\\\n");
        index.build(&chunk);
        prop_assert_eq!(&index.quotes, &positions(&chunk, |byte| byte == b'"'));
        prop_assert_eq!(&index.newlines, &positions(&chunk, |byte| byte == b'\n'));
        let odd = |byte| byte != b'\n' && (byte < 0x20 || byte == b'\\' || byte == 0x7f);
        prop_assert_eq!(&index.odd, &positions(&chunk, odd));

        let lines: Vec<_> = index.lines(chunk.len()).map(|line| &chunk[line.start..line.end]).collect();
        let mut expected: Vec<_> = chunk.split(|byte| *byte == b'\n').collect();
        if expected.last() == Some(&&[][..]) {
            expected.pop();
        }
        prop_assert_eq!(lines, expected);
        for line in index.lines(chunk.len()) {
            let inside = |at: &&u32| (line.start..line.end).contains(&(**at as usize));
            prop_assert_eq!(line.quotes.len(), index.quotes.iter().filter(inside).count());
            prop_assert!(line.quotes.iter().all(|at| inside(&at)) && line.odd.iter().all(|at| inside(&at)));
        }
    }
}
