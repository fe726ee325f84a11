//! Numbers, booleans and nulls, eight bytes at a time where they are short.

use crate::walk::{self, SlotKind};

/// What the scalar is that begins at `start`, and where it ends; `None` where none stands there. What follows it
/// is the next literal's to judge. The line ends at `end`; after it anything may come.
#[inline(always)]
pub(super) fn read(bytes: &[u8], start: usize, end: usize) -> Option<(SlotKind, usize)> {
    let word = word(bytes, start)?;
    let first = word as u8;
    if first.is_ascii_digit() {
        return number(bytes, start, end, word);
    }
    if first == b'-' {
        return any_number(bytes, start, end);
    }
    // Which of the words it is decides no branch: true and false come in no order.
    let is_true = word as u32 == u32::from_le_bytes(*b"true");
    let is_null = word as u32 == u32::from_le_bytes(*b"null");
    let is_false = word & 0xff_ffff_ffff == u64::from_le_bytes(*b"false\0\0\0");
    let scalar_end = start + 4 + usize::from(is_false);
    let kind = if is_null { SlotKind::Null } else { SlotKind::of_boolean(is_true) };
    ((is_true | is_null | is_false) && scalar_end <= end).then_some((kind, scalar_end))
}

/// A number that begins with a digit; `word` is its first eight bytes.
#[inline(always)]
fn number(bytes: &[u8], start: usize, end: usize, word: u64) -> Option<(SlotKind, usize)> {
    let digits = leading_digits(word);
    let mut after = start + digits;
    let mut next = *bytes.get(after)?;
    if digits == 8 || (digits > 1 && word as u8 == b'0') {
        return any_number(bytes, start, end);
    }
    if next == b'.' {
        let fraction = leading_digits(self::word(bytes, after + 1)?);
        after += 1 + fraction;
        next = *bytes.get(after)?;
        if fraction == 0 || fraction == 8 {
            return any_number(bytes, start, end);
        }
    }
    if next | 0x20 == b'e' || after > end {
        return any_number(bytes, start, end);
    }
    Some((SlotKind::Number, after))
}

#[cold]
fn any_number(bytes: &[u8], start: usize, end: usize) -> Option<(SlotKind, usize)> {
    walk::number_end(&bytes[..end], start).ok().map(|end| (SlotKind::Number, end))
}

/// How many of eight bytes, from the first on, are digits.
#[inline(always)]
fn leading_digits(word: u64) -> usize {
    const ALL: u64 = 0x0101_0101_0101_0101;
    // A digit leaves 0 to 9 …
    let left = word ^ (ALL * u64::from(b'0'));
    // … which adding 6 does not carry into the upper half. A byte past 0xf9 could carry into the next one, but
    // only the first that is no digit counts.
    let past = (left | left.wrapping_add(ALL * 6)) & (ALL * 0xf0);
    past.trailing_zeros() as usize / 8
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn reads_what_the_grammar_reads(
            scalar in "(-?[0-9]{1,10}(\\.[0-9]{0,9})?([eE][+-]?[0-9]{0,3})?|true|false|null|tru|nul|fals[a-f])",
            after in "[,} \\.e0-9]{0,12}",
            cut in 0..3_usize,
        ) {
            let line = format!("{scalar}{after}");
            let end = line.len().saturating_sub(cut).max(1);
            let expected = match line.as_bytes()[0] {
                b'-' | b'0'..=b'9' => {
                    walk::number_end(&line.as_bytes()[..end], 0).ok().map(|end| (SlotKind::Number, end))
                }
                _ => [("true", SlotKind::True), ("false", SlotKind::False), ("null", SlotKind::Null)]
                    .into_iter()
                    .find(|(word, _)| line[..end].starts_with(word))
                    .map(|(word, kind)| (kind, word.len())),
            };
            let padded = format!("{line}          ");
            prop_assert_eq!(read(padded.as_bytes(), 0, end), expected, "{}", line);
            // Without bytes after the line it may give up, but not say otherwise.
            if let Some(found) = read(line.as_bytes(), 0, end) {
                prop_assert_eq!(Some(found), expected);
            }
        }
    }
}
