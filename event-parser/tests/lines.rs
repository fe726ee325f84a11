//! Lines, line endings, limits and messages, through the public interface.

use event_parser::{Batch, Options, Parser};

const GOOD: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;

fn options() -> Options {
    Options::new("2026-03-01".parse().unwrap())
}

fn parse_in(pieces: &[&[u8]], options: Options) -> Batch {
    let mut batch = Batch::default();
    let mut parser = Parser::new("day.jsonl", options);
    for piece in pieces {
        assert_eq!(parser.push(piece, &mut batch), piece.len());
    }
    parser.finish(&mut batch);
    batch
}

fn parse(bytes: &[u8]) -> Batch {
    parse_in(&[bytes], options())
}

fn rejects(batch: &Batch) -> Vec<(u64, u64, String)> {
    batch
        .rejects()
        .iter()
        .map(|reject| {
            (reject.line, reject.byte_offset, format!("{} {}", reject.first().reason, reject.first().field))
        })
        .collect()
}

#[test]
fn counts_lines_and_finds_their_places() {
    let file = format!("\u{feff}x\r\n\n  \t\r\n{GOOD}\r\ny\n{GOOD}");
    let batch = parse(file.as_bytes());
    assert_eq!((batch.lines, batch.blank_lines), (6, 2));
    assert_eq!(batch.events.envelope.source_line.values(), [4, 6]);
    let second = 3 + 3 + 1 + 5 + GOOD.len() as u64 + 2;
    assert_eq!(
        rejects(&batch),
        [(1, 3, "invalid_json ".to_owned()), (5, second, "invalid_json ".to_owned())]
    );
    assert_eq!(batch.rejects()[0].raw, b"x");
    for empty in ["", "\u{feff}"] {
        assert_eq!(parse(empty.as_bytes()).lines, 0);
    }
    assert_eq!(parse(b"\n").blank_lines, 1);
}

#[test]
fn a_line_too_long_is_rejected_alone_in_bounded_memory() {
    let max = 1 << 20;
    let pad = |length: usize| {
        let (start, end) = (&GOOD[..GOOD.len() - 1], r#","pad":""}"#);
        let middle = "x".repeat(length - start.len() - end.len());
        format!("{start},\"pad\":\"{middle}\"}}")
    };
    assert_eq!(pad(max).len(), max);
    for (line, accepted) in [(pad(max), 1), (pad(max) + "\r", 1), (pad(max + 1), 0), (pad(3 * max), 0)] {
        let file = format!("{line}\n{GOOD}\n");
        for piece in [file.len(), 300_000, 7_777] {
            let pieces: Vec<&[u8]> = file.as_bytes().chunks(piece).collect();
            let batch = parse_in(&pieces, options());
            assert_eq!(
                batch.events.envelope.source_line.values().len(),
                accepted + 1,
                "{} / {piece}",
                line.len()
            );
            if accepted == 0 {
                assert_eq!(rejects(&batch), [(1, 0, "line_too_long ".to_owned())]);
                assert_eq!(batch.rejects()[0].raw, &line.as_bytes()[..64 << 10]);
            }
        }
    }
    let blank = " ".repeat(3 * max);
    assert_eq!(parse_in(&[blank.as_bytes(), b"\n"], options()).blank_lines, 1);
}

#[test]
fn a_small_limit_still_keeps_the_whole_line() {
    let batch = parse_in(&[GOOD.as_bytes(), b"\r\n"], options().with_max_line_bytes(40));
    assert_eq!(rejects(&batch), [(1, 0, "line_too_long ".to_owned())]);
    assert_eq!(batch.rejects()[0].raw, GOOD.as_bytes());
}

#[test]
fn a_full_batch_takes_no_more_until_it_is_cleared() {
    let file = format!("{GOOD}\n").repeat(20_000);
    let (mut parser, mut batch) = (Parser::new("f", options().with_batch_bytes(100_000)), Batch::default());
    let (mut rest, mut rows, mut batches) = (file.as_bytes(), 0, 0);
    while !rest.is_empty() {
        let taken = parser.push(rest, &mut batch);
        rest = &rest[taken..];
        rows += batch.events.envelope.source_line.values().len();
        batches += 1;
        assert!(batch.bytes() < 100_000 + 2 * (128 << 10), "{}", batch.bytes());
        batch.clear();
    }
    assert_eq!(rows, 20_000);
    assert!(batches >= 10, "{batches}");
}

#[test]
fn messages_say_what_was_expected_and_what_stood_there() {
    let line = r#"{"event_id":"018f2c6e","event_type":"purchase","user_id":"","event_time":"2026-03-03T00:00:00Z","country":"kz","session_id":7,"properties":{"plan":null,"amount":"-5","currency":"USD","period_start":"2026-03-01","period_end":"2026-03-01","is_trial":"no"}}"#;
    let batch = parse(line.as_bytes());
    let messages: Vec<String> = batch.rejects()[0]
        .violations
        .iter()
        .map(|violation| format!("{} {}: {}", violation.reason, violation.field, violation.message))
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn messages_about_a_line_say_where() {
    let deep = format!("{{\"a\":{}", "[".repeat(200));
    let lines: [&[u8]; 10] = [
        b"{\"a\":1,}",
        b"{\"a\":tru}",
        b"[1]",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"b",
        b"{\"a\":\"b\tc\"}",
        deep.as_bytes(),
        // A byte order mark, and a space that is none.
        "{\"a\":1,\u{feff}}".as_bytes(),
        "{\"a\":\u{a0}1}".as_bytes(),
    ];
    let messages: Vec<String> = lines
        .iter()
        .map(|line| parse(line).rejects()[0].first().clone())
        .map(|v| format!("{}: {}", v.reason, v.message))
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}
