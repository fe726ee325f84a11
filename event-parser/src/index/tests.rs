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
        let odd = |byte| byte != b'\n' && (byte < 0x20 || byte == b'\\' || byte == 0x7f);
        for backend in Backend::available() {
            let mut index = Index { backend, ..Index::default() };
            index.build(b"\"left over\\\n");
            index.build(&chunk);
            prop_assert_eq!(index.quotes.as_slice(), &positions(&chunk, |byte| byte == b'"'), "{}", backend.name());
            let newlines: Vec<u32> = index.line_ends.iter().map(|end| end.at).collect();
            prop_assert_eq!(newlines, positions(&chunk, |byte| byte == b'\n'), "{}", backend.name());
            prop_assert_eq!(index.odd.as_slice(), &positions(&chunk, odd), "{}", backend.name());
        }
        let mut index = Index::default();
        index.build(&chunk);

        let lines: Vec<_> = index.lines(chunk.len()).map(|line| &chunk[line.start..line.end]).collect();
        let mut expected: Vec<_> = chunk.split(|byte| *byte == b'\n').collect();
        if expected.last() == Some(&&[][..]) {
            expected.pop();
        }
        prop_assert_eq!(lines, expected);
        for line in index.lines(chunk.len()) {
            let inside = |at: &&u32| (line.start..line.end).contains(&(**at as usize));
            prop_assert_eq!(line.quotes.len(), index.quotes.as_slice().iter().filter(inside).count());
            prop_assert!(line.quotes.iter().all(|at| inside(&at)) && line.odd.iter().all(|at| inside(&at)));
        }
    }
}

#[test]
fn says_which_backends_ran() {
    let names: Vec<_> = Backend::available().into_iter().map(Backend::name).collect();
    println!("index backends tested on this machine: {}", names.join(", "));
    assert_eq!(names[0], "portable");
}
