//! Changes that leave a line's shape: another value, another key, another blank. Damage that mostly breaks the
//! grammar is [`Mutation`](crate::lines::Mutation)'s.

use fastrand::Rng;

/// Values as they are written, gathered from good lines.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<Vec<u8>>);

/// Values that stand at an edge of some rule, or of some width that is read at once.
const EDGES: [&[u8]; 24] = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"1",
    b"1.0",
    b"65535",
    b"65536",
    b"4294967295",
    b"4294967296",
    b"1e999",
    b"99999999999999.9999",
    b"\"\"",
    b"\"-1\"",
    b"\"0.00001\"",
    b"\"2026-01-02T23:59:59.999Z\"",
    b"\"2026-01-03T00:00:00Z\"",
    b"\"1999-12-31T23:59:59.9999Z\"",
    b"\"2149-06-06\"",
    b"\"2149-06-07\"",
    b"\"session\"",
    b"{}",
    b"[]",
];

/// What is put into strings: escapes, and bytes of one to four.
const PIECES: [&[u8]; 12] = [
    b"\\u0041",
    b"\\u00e9",
    b"\\ud83d\\ude00",
    b"\\n",
    b"\\\"",
    b"\\\\",
    b"\\/",
    "é".as_bytes(),
    "学".as_bytes(),
    "😀".as_bytes(),
    b"\\u007f",
    b"\x7f",
];

/// Whole members to put into an object.
const MEMBERS: [&[u8]; 10] = [
    b"\"a\":1,",
    b"\"sdk\": {\"v\": \"1\\n\"}, ",
    b"\"user_id\":\"again\",",
    b"\"event_type\":\"refund\",",
    b"\"is_trial\":null,",
    b"\"score\":0.5,",
    b"\"country\": \"KZ\", ",
    b"\"amount\":\"1.5\",",
    b"\"properties\":{},",
    b"\"\":[{},\"]\"],",
];

impl Values {
    /// Adds the values of a line.
    pub(super) fn gather(&mut self, line: &[u8]) {
        let mut at = 0;
        while let Some((start, end)) = next_value(line, at) {
            if end - start < 400 {
                self.0.push(line[start..end].to_vec());
            }
            at = start.max(at) + 1;
        }
    }

    fn draw(&self, rng: &mut Rng) -> &[u8] {
        &self.0[rng.usize(..self.0.len())]
    }
}

/// Changes one thing of a line.
pub(super) fn edit(line: &mut Vec<u8>, values: &Values, rng: &mut Rng) {
    let from = rng.usize(..line.len().max(1));
    let Some((start, end)) = next_value(line, from).or_else(|| next_value(line, 0)) else { return };
    match rng.u8(..20) {
        0..4 => drop(line.splice(start..end, values.draw(rng).iter().copied())),
        4..6 => drop(line.splice(start..end, EDGES[rng.usize(..EDGES.len())].iter().copied())),
        // The same number of bytes: what compares whole words must see it.
        6..12 if end > start => {
            let at = rng.usize(start..end);
            line[at] = match line[at] {
                b'0'..=b'9' => b"0123456789 :-"[rng.usize(..13)],
                b'a'..=b'z' | b'A'..=b'Z' => b"abfzAFGZ0\\"[rng.usize(..10)],
                byte => byte ^ 1 << rng.u8(..8),
            };
        }
        12..14 if line[start] == b'"' => {
            let at = rng.usize(start + 1..end.max(start + 2)).min(line.len());
            line.splice(at..at, PIECES[rng.usize(..PIECES.len())].iter().copied());
        }
        14..16 if line[start] == b'"' => {
            let length = rng.usize(..80);
            line.splice(
                start + 1..end.saturating_sub(1).max(start + 1),
                (0..length).map(|_| rng.alphanumeric() as u8),
            );
        }
        16 => drop(line.splice(start..start, *b" ")),
        17 => drop(line.splice(end..end, *b" ")),
        18 => {
            let brackets: Vec<usize> =
                (0..line.len()).filter(|at| matches!(line[*at], b'{' | b',')).collect();
            if let Some(at) = rng.choice(brackets) {
                line.splice(at + 1..=at, MEMBERS[rng.usize(..MEMBERS.len())].iter().copied());
            }
        }
        _ => {
            // A letter of the key before the value.
            if let Some(quote) = memchr::memrchr(b'"', &line[..start])
                && quote > 0
            {
                line[quote - 1] = b"eidts_xE"[rng.usize(..8)];
            }
        }
    }
}

/// Where a value stands that follows a colon at or after `from`. Objects and arrays are not values here: what is
/// inside them is.
fn next_value(line: &[u8], mut from: usize) -> Option<(usize, usize)> {
    loop {
        let colon = from + memchr::memchr(b':', line.get(from..)?)?;
        let start =
            colon + 1 + line[colon + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match line.get(start)? {
            b'{' | b'[' => from = start + 1,
            b'"' => return Some((start, end_of_string(line, start))),
            _ => {
                let length = line[start..].iter().take_while(|byte| !b",]} \t".contains(byte)).count();
                return Some((start, start + length));
            }
        }
    }
}

/// One past the quote that ends the string which begins at `start`.
fn end_of_string(line: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < line.len() {
        match line[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    line.len()
}
