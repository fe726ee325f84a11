//! The order of rows in a block: that of the tables' sorting key, so that the server need not sort.
//!
//! `(user_id, event_time, event_id)`: strings by their bytes, times as integers, and UUIDs as the engine
//! compares them, by their **lower** 64 bits first. That is how the 128-bit integers of the Native layout
//! (upper half first, each half little-endian) compare on a little-endian machine.

use event_parser::EnvelopeColumns;
use event_parser::columns::Strings;

/// Bytes of a user's id that are looked at, after those that all ids begin with, to make a number of it.
const MOST_PLACES: usize = 16;

/// The rows in the order of the sorting key. Sorting takes 12 bytes a row.
///
/// Rows are sorted as integers: a number for the user, then the row, which keeps the order of the batch within a user. That
/// is nearly the order of time already, so few comparisons are left.
pub(crate) fn by_sorting_key(columns: &EnvelopeColumns) -> Vec<u32> {
    let (times, ids, users) = (columns.event_time.values(), columns.event_id.values(), &columns.user_id);
    let numbers = Numbers::of(users);
    let mut keys: Vec<u64> =
        (0..users.rows()).map(|row| u64::from(numbers.get(users.get(row))) << 32 | row as u64).collect();
    keys.sort_unstable();

    let (number, row) = (|key: u64| key >> 32, |key: u64| key as u32 as usize);
    let rest = |key: u64| numbers.rest(users.get(row(key)));
    let time = |key: u64| times[row(key)];
    // The same event twice: in the order of the batch, so that a block is the same every time.
    let event = |key: u64| (u128::from_le(ids[row(key)]), row(key));
    let by_event = |a: &u64, b: &u64| time(*a).cmp(&time(*b)).then_with(|| event(*a).cmp(&event(*b)));
    for run in keys.chunk_by_mut(|a, b| number(*a) == number(*b)) {
        let is_one_user = numbers.are_exact || run[1..].iter().all(|key| rest(*key) == rest(run[0]));
        if !is_one_user {
            run.sort_unstable_by(|a, b| rest(*a).cmp(rest(*b)).then_with(|| by_event(a, b)));
        } else if !run.is_sorted_by(|a, b| by_event(a, b).is_le()) {
            run.sort_unstable_by(by_event);
        }
    }
    keys.into_iter().map(|key| key as u32).collect()
}

/// Numbers that sort as strings do, as far as 32 bits can tell them apart.
///
/// After the shared prefix, few different bytes occur at each position: ten digits, or sixteen. So each position is a digit
/// in a mixed-radix number: the rank of the byte among those that occur there. The end of the string ranks first.
struct Numbers {
    /// How many bytes all strings begin with.
    shared: usize,
    /// What a byte adds to the number, for each place behind those; the first is for no byte.
    places: Vec<[u32; 1 + 256]>,
    /// Whether the strings that have the same number are the same.
    are_exact: bool,
}

impl Numbers {
    fn of(strings: &Strings) -> Numbers {
        let shared = shared_prefix(strings);
        let mut occur = [[false; 1 + 256]; MOST_PLACES];
        let mut longest = 0;
        for row in 0..strings.rows() {
            let string = &strings.get(row)[shared..];
            longest = longest.max(string.len());
            for (occur, byte) in occur.iter_mut().zip(string) {
                occur[1 + usize::from(*byte)] = true;
            }
            if let Some(occur) = occur.get_mut(string.len()) {
                occur[0] = true;
            }
        }
        let mut places = Vec::new();
        let mut numbers = 1;
        let mut has_ended = false;
        for mut occur in occur.into_iter().take(longest) {
            has_ended |= occur[0];
            occur[0] = has_ended;
            let base = occur.iter().filter(|occurs| **occurs).count() as u64;
            if numbers * base > 1 << 32 {
                break;
            }
            numbers *= base;
            places.push((occur, base));
        }
        let mut weight = numbers;
        let places: Vec<_> = places
            .into_iter()
            .map(|(occur, base)| {
                weight /= base;
                let mut digit = 0;
                occur.map(|occurs| {
                    let adds = digit * weight;
                    digit += u64::from(occurs);
                    adds as u32
                })
            })
            .collect();
        Numbers { shared, are_exact: places.len() == longest, places }
    }

    fn get(&self, string: &[u8]) -> u32 {
        // What no byte adds is nothing, so that places behind the string's end need not be looked at.
        self.places.iter().zip(&string[self.shared..]).map(|(adds, byte)| adds[1 + usize::from(*byte)]).sum()
    }

    /// What the number does not tell.
    fn rest<'a>(&self, string: &'a [u8]) -> &'a [u8] {
        string.get(self.shared + self.places.len()..).unwrap_or_default()
    }
}

/// How many bytes all strings begin with.
fn shared_prefix(strings: &Strings) -> usize {
    let mut rows = (0..strings.rows()).map(|row| strings.get(row));
    let Some(first) = rows.next() else { return 0 };
    rows.fold(first.len(), |shared, string| {
        if string.starts_with(&first[..shared]) {
            return shared;
        }
        first.iter().zip(string).take_while(|(a, b)| a == b).count()
    })
}

#[cfg(test)]
mod tests {
    use event_parser::EnvelopeColumns;
    use proptest::prelude::*;

    use super::*;

    /// Holds the order of such users' events, at three times and with three ids, against that of whole keys.
    fn check(users: &[&[u8]]) -> Vec<usize> {
        // The upper half stands in the lower bits: 1 << 64 is the smallest but one of the lower halves.
        let ids = [1 << 64, 2, 1];
        let mut columns = EnvelopeColumns::default();
        for time in [5, -1, 0] {
            for id in ids {
                for user in users {
                    columns.user_id.push(user);
                    columns.event_time.push(time);
                    columns.event_id.push(id);
                }
            }
        }
        let key = |row: usize| {
            (columns.user_id.get(row), columns.event_time.values()[row], columns.event_id.values()[row], row)
        };
        let mut expected: Vec<usize> = (0..columns.event_time.values().len()).collect();
        expected.sort_by_key(|row| key(*row));
        let found: Vec<usize> = by_sorting_key(&columns).into_iter().map(|row| row as usize).collect();
        assert_eq!(found, expected, "{users:?}");
        found
    }

    #[test]
    fn rows_come_in_the_order_of_the_full_key() {
        let users: [&[u8]; 9] = [
            b"u",
            b"u\0",
            b"",
            b"u-000000000000001",
            b"u-00000000000000",
            b"u-000000000000002",
            b"u-00000000000000\0",
            b"\xff",
            b"u-000000000000001-and-longer",
        ];
        let found = check(&users);
        // The empty user's smallest time, and of its ids the smallest lower half.
        assert_eq!(found[0], 3 * 9 + 2 * 9 + 2);
    }

    #[test]
    fn what_all_users_begin_with_is_skipped() {
        check(&[]);
        check(&[b"same"]);
        check(&[b"u00000010", b"u00000009", b"u00000100", b"u00000009"]);
        check(&[b"team/1234567", b"team/12345678", b"team/123456", b"team/", b"team/1234567\0"]);
        check(&[b"team/12345678b", b"team/12345678a", b"team/12345678", b"team/12345679"]);
        check(&[b"abcdefgh-1", b"abcdefgh-1", b"abcdefgh-0", b"b"]);
    }

    #[test]
    fn ids_of_few_different_bytes_are_told_apart_by_their_numbers_alone() {
        let numbers = |users: &[&str]| {
            let mut column = Strings::default();
            for user in users {
                column.push(user.as_bytes());
            }
            Numbers::of(&column)
        };
        // 9¹⁰ is less than 2³², 9¹¹ is more; a place where all are alike counts for nothing.
        let digits: Vec<String> = (1..=9).map(|digit| digit.to_string().repeat(10)).collect();
        let digits: Vec<&str> = digits.iter().map(String::as_str).collect();
        assert!(numbers(&digits).are_exact);
        let longer: Vec<String> = digits.iter().map(|digits| format!("{digits}0{}", &digits[..1])).collect();
        let longer: Vec<&str> = longer.iter().map(String::as_str).collect();
        let numbers = numbers(&longer);
        assert!(!numbers.are_exact);
        assert_eq!(numbers.rest(b"999999999909"), b"9");
    }

    proptest! {
        #[test]
        fn any_users_are_sorted(
            users in prop_oneof![
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..24), 0..40),
                prop::collection::vec("[ab\\x00]{0,20}".prop_map(String::into_bytes), 0..40),
                prop::collection::vec("(team/)?[0-9a-f]{0,12}".prop_map(String::into_bytes), 0..40),
            ]
        ) {
            check(&users.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }
}
