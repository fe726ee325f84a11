//! Numbers, booleans and nulls: their kind, eight bytes at once where they are short.

#![expect(clippy::inline_always, reason = "compiled for each instruction set")]

use super::{SlotKind, number};

/// The high bit of each byte of a word.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The kind of the scalar from `start` to before `end`; `None` where this is not exactly one scalar.
#[inline(always)]
pub(crate) fn kind(bytes: &[u8], start: usize, end: usize) -> Option<SlotKind> {
    let length = end.wrapping_sub(start);
    let word = match bytes.get(start..).and_then(|rest| rest.first_chunk()) {
        Some(word) if length.wrapping_sub(1) < 8 => u64::from_le_bytes(*word),
        _ => return any_kind(bytes, start, end),
    };
    let mask = u64::MAX >> (64 - 8 * length);
    // The high bit of every byte that is not a digit: a digit leaves 0 to 9, and adding 0x76 does not reach the high bit.
    let left = word ^ 0x3030_3030_3030_3030;
    let others = (((left & !HIGH) + 0x7676_7676_7676_7676) | left) & HIGH & mask;
    let begins_with_zero = word as u8 == b'0';
    if others == 0 && !(begins_with_zero && length > 1) {
        return Some(SlotKind::Number);
    }
    let other_at = others.trailing_zeros() as usize / 8;
    let is_point = others.is_power_of_two() && (word >> (8 * other_at)) as u8 == b'.';
    let has_digits_around = other_at > 0 && other_at + 1 < length;
    if is_point && has_digits_around && !(begins_with_zero && other_at > 1) {
        return Some(SlotKind::Number);
    }
    // No branch depends on which word it is: true and false alternate unpredictably.
    let text = word & mask;
    let is_true = text == u64::from_le_bytes(*b"true\0\0\0\0");
    let is_null = text == u64::from_le_bytes(*b"null\0\0\0\0");
    let is_false = text == u64::from_le_bytes(*b"false\0\0\0");
    if is_true | is_null | is_false {
        return Some(if is_null { SlotKind::Null } else { SlotKind::of_boolean(is_true) });
    }
    any_kind(bytes, start, end)
}

/// The end of the scalar that begins at `start`: before a comma, a closing bracket, a blank or a control character.
#[inline(always)]
pub(super) fn end(bytes: &[u8], start: usize) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // The lowest set high bit is right; higher ones may be wrong.
    let zero = |word: u64| word.wrapping_sub(LOW) & !word;
    let is = |word: u64, byte: u8| zero(word ^ (LOW * u64::from(byte)));
    let mut at = start;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*word);
        let up_to_blank = word.wrapping_sub(LOW * 0x21) & !word;
        let ends = (is(word, b',') | is(word, b'}') | is(word, b']') | up_to_blank) & HIGH;
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let is_end = |byte: &u8| matches!(byte, 0..=b' ' | b',' | b'}' | b']');
    let rest = bytes.get(at..)?;
    Some(at + rest.iter().position(is_end).unwrap_or(rest.len()))
}

#[cold]
fn any_kind(bytes: &[u8], start: usize, end: usize) -> Option<SlotKind> {
    match bytes.get(start..end)? {
        text @ [b'-' | b'0'..=b'9', ..] => {
            (number::end(text, 0).ok()? == text.len()).then_some(SlotKind::Number)
        }
        b"true" => Some(SlotKind::True),
        b"false" => Some(SlotKind::False),
        b"null" => Some(SlotKind::Null),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16384))]

        #[test]
        fn has_the_kind_that_the_grammar_says(
            scalar in prop_oneof![
                "-?[0-9]{1,10}(\\.[0-9]{0,9})?([eE][+-]?[0-9]{0,3})?",
                "true|false|null|tru|nul|fals[a-f]",
                "[0-9.:/eE\\- \u{80}]{0,9}",
            ],
            after in "[,} \\.e0-9]{0,12}",
        ) {
            let expected = any_kind(scalar.as_bytes(), 0, scalar.len());
            for line in [scalar.clone(), format!("{scalar}{after}")] {
                prop_assert_eq!(kind(line.as_bytes(), 0, scalar.len()), expected, "{}", line);
            }
        }
    }

    proptest! {
        #[test]
        fn ends_before_bytes_that_no_scalar_has(text in "[-+.0-9Eaz\"\u{80}]{0,20}([,}\\] \t\n][,}0-9a]{0,12})?") {
            let is_end = |byte: &u8| b",}] \t\n".contains(byte);
            let expected = text.bytes().position(|byte| is_end(&byte)).unwrap_or(text.len());
            prop_assert_eq!(end(text.as_bytes(), 0), Some(expected));
        }
    }

    #[test]
    fn an_empty_range_is_not_a_scalar() {
        assert_eq!(kind(b"1234567890", 3, 3), None);
        assert_eq!(kind(b"1234567890", 4, 3), None);
        assert_eq!(kind(b"1234567890", 11, 12), None);
    }
}
