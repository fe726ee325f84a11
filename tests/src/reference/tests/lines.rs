//! Where lines begin and end.

use crate::reference::{Options, read, split};

fn texts(source: &[u8]) -> Vec<(u64, &[u8])> {
    split(source).iter().map(|line| (line.offset, line.text)).collect()
}

#[test]
fn lines_end_in_a_line_feed_with_one_carriage_return_or_none() {
    assert_eq!(texts(b""), []);
    assert_eq!(texts(b"\n"), [(0, &b""[..])]);
    assert_eq!(
        texts(b"a\nb\r\n\nc\r\r\nd\r"),
        [(0, &b"a"[..]), (2, b"b"), (5, b""), (6, b"c\r"), (10, b"d\r")]
    );
}

#[test]
fn a_byte_order_mark_is_dropped_once() {
    assert_eq!(texts(b"\xef\xbb\xbf"), []);
    assert_eq!(texts(b"\xef\xbb\xbfa\n\xef\xbb\xbfb"), [(3, &b"a"[..]), (5, b"\xef\xbb\xbfb")]);
}

#[test]
fn only_the_beginning_of_a_long_line_is_kept() {
    let options = Options { max_line_bytes: 70_000, ..Options::default() };
    let mut source = b"x".repeat(70_001);
    source.extend(b"\r\n{}\n");
    let outcome = read(&source, &options);
    let reasons: Vec<_> = outcome.rejects.iter().map(|r| (r.reason, r.raw.len(), r.byte_offset)).collect();
    assert_eq!(reasons, [("line_too_long", 65_536, 0), ("missing_field", 2, 70_003)]);
    assert_eq!(outcome.lines, 2);
}

#[test]
fn blank_lines_are_counted_however_long() {
    let options = Options { max_line_bytes: 3, ..Options::default() };
    let outcome = read(b"\n \t\r\r\n          \nx", &options);
    assert_eq!((outcome.lines, outcome.blank_lines, outcome.rejects.len()), (4, 3, 1));
    assert_eq!(outcome.rejects[0].byte_offset, 17);
}
