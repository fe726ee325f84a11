//! Short byte strings as one number, to be compared without a call.

/// The longest string that has a number.
pub(crate) const MAX_BYTES: usize = 16;

/// A number for a string of at most [`MAX_BYTES`]; of two strings of the same length, the same number only
/// where they are the same.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<u128> {
    let length = bytes.len();
    // The first and the last bytes, which overlap where the string is shorter than both together.
    Some(match length {
        8..=MAX_BYTES => u128::from(word(bytes, 0)) | u128::from(word(bytes, length - 8)) << 64,
        4..=7 => u128::from(half(bytes, 0)) | u128::from(half(bytes, length - 4)) << 32,
        1..=3 => {
            let at = |place: usize| u128::from(bytes[place]);
            at(0) | at(length / 2) << 8 | at(length - 1) << 16
        }
        0 => 0,
        _ => return None,
    })
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("the caller has looked at the length"))
}

fn half(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("the caller has looked at the length"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_of_one_length_differ_where_their_numbers_do(
            (one, other) in (0..20_usize).prop_flat_map(|length| {
                let bytes = || prop::collection::vec(0..3_u8, length);
                (bytes(), bytes())
            })
        ) {
            let (first, second) = (super::number(&one), super::number(&other));
            prop_assert_eq!(first.is_some(), one.len() <= super::MAX_BYTES);
            if first.is_some() {
                prop_assert_eq!(first == second, one == other);
            }
        }
    }
}
