//! The order of rows in a block: that of the tables' sorting key, so that the server need not sort.
//!
//! `(user_id, event_time, event_id)`: strings by their bytes, times as integers, and UUIDs as the engine
//! compares them, by their **lower** 64 bits first. That is how the 128-bit integers of the Native layout
//! (upper half first, each half little-endian) compare on a little-endian machine.

use event_parser::EnvelopeColumns;
use event_parser::columns::Strings;

/// Bytes of a user's id, after those that all ids begin with, that are sorted by as a number.
const PREFIX_BYTES: usize = 7;

/// A row and what decides nearly all of its order.
#[derive(Debug, Clone, Copy, Default)]
struct Key {
    /// The first bytes of the user's id beyond those that all ids share, zeros behind a short one, and then how many
    /// bytes those are; [`LONGER`] where there are more. As a big-endian number it sorts as the ids do.
    user: u64,
    row: u32,
}

/// The last byte of a key whose user has more bytes than it shows.
const LONGER: u8 = PREFIX_BYTES as u8 + 1;

/// The rows in the order of the sorting key. Sorting takes 36 bytes a row.
///
/// Sorted digit by digit by what is known of the user, which keeps the order of the source within a user; that is
/// nearly the order of time already, so little is left to compare.
pub(crate) fn by_sorting_key(columns: &EnvelopeColumns) -> Vec<u32> {
    let (times, ids, users) = (columns.event_time.values(), columns.event_id.values(), &columns.user_id);
    let shared = shared_prefix(users);
    let keys = (0..users.rows()).map(|row| Key { user: prefix(&users.get(row)[shared..]), row: row as u32 });
    let mut keys = sorted_by_user(keys.collect());

    let rest = |row: u32| &users.get(row as usize)[shared + PREFIX_BYTES..];
    // The same event twice: in the order of the source, so that a block is the same every time.
    let event = |row: u32| (times[row as usize], u128::from_le(ids[row as usize]), row);
    for run in keys.chunk_by_mut(|a, b| a.user == b.user) {
        let is_one_user =
            run[0].user as u8 != LONGER || run[1..].iter().all(|key| rest(key.row) == rest(run[0].row));
        if !is_one_user {
            run.sort_unstable_by(|a, b| {
                rest(a.row).cmp(rest(b.row)).then_with(|| event(a.row).cmp(&event(b.row)))
            });
        } else if !run.is_sorted_by_key(|key| event(key.row)) {
            run.sort_unstable_by_key(|key| event(key.row));
        }
    }
    keys.into_iter().map(|key| key.row).collect()
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

/// [`Key::user`] of a user.
fn prefix(user: &[u8]) -> u64 {
    let mut bytes = [0; PREFIX_BYTES + 1];
    let shown = user.len().min(PREFIX_BYTES);
    bytes[..shown].copy_from_slice(&user[..shown]);
    bytes[PREFIX_BYTES] = user.len().min(usize::from(LONGER)) as u8;
    u64::from_be_bytes(bytes)
}

/// Sorts by the user, from the last byte to the first; rows of a user stay in order.
fn sorted_by_user(mut keys: Vec<Key>) -> Vec<Key> {
    let mut counts = [[0_u32; 256]; size_of::<u64>()];
    for key in &keys {
        for (counts, digit) in counts.iter_mut().zip(key.user.to_le_bytes()) {
            counts[usize::from(digit)] += 1;
        }
    }
    let mut sorted = vec![Key::default(); keys.len()];
    for (place, counts) in counts.iter_mut().enumerate() {
        // Often all ids have the same there: as many bytes, or the same zeros in front.
        if counts.contains(&(keys.len() as u32)) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for key in &keys {
            let next = &mut counts[usize::from(key.user.to_le_bytes()[place])];
            sorted[*next as usize] = *key;
            *next += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys
}

#[cfg(test)]
mod tests {
    use event_parser::EnvelopeColumns;

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
}
