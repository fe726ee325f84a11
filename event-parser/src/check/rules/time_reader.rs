//! Reads times in the form that nearly all producers write, `2026-03-01T09:30:00.123Z`, eight bytes at a time.
//!
//! Other forms, and invalid ones, are left to [`parse_rfc3339`].

use event_schema::Reason;
use event_schema::value::parse_rfc3339;

use crate::span::Span;

/// Reads times. It remembers the day of the last one: the times of a day file are mostly of one day.
#[derive(Debug)]
pub(in super::super) struct TimeReader {
    /// A time of that day in three words, with zeros for all digits after the date.
    template: [u64; 3],
    /// Milliseconds since 1970 of the start of that day.
    day_millis: i64,
}

impl Default for TimeReader {
    fn default() -> TimeReader {
        TimeReader { template: words(b"1970-01-01T00:00:00.000Z"), day_millis: 0 }
    }
}

impl TimeReader {
    /// Milliseconds since 1970-01-01T00:00:00Z; the same result as [`parse_rfc3339`].
    #[inline(always)]
    pub(super) fn read(&mut self, text: Span<'_>) -> Result<i64, Reason> {
        match text.wide::<24>() {
            Some(usual) if text.len() == 24 => {
                self.read_usual(usual).map_or_else(|| self.read_any(usual), Ok)
            }
            _ => parse_rfc3339(&text),
        }
    }

    /// The time, if it has the usual form and the remembered day.
    #[inline(always)]
    fn read_usual(&self, text: &[u8; 24]) -> Option<i64> {
        // The difference from the template: the digits of `DDThh:mm` and `:ss.fffZ`; all other bytes are zero.
        let [date, minutes, seconds] = words(text);
        let (minutes, seconds) = (minutes ^ self.template[1], seconds ^ self.template[2]);
        // The sum has a bit in a byte's upper half if a digit is past 9, or another byte differs. A byte whose sum could
        // carry into the next one has such a bit already.
        let past = minutes
            | seconds
            | minutes.wrapping_add(u64::from_le_bytes(*b"\x0f\x0f\x0f\x06\x06\x0f\x06\x06"))
            | seconds.wrapping_add(u64::from_le_bytes(*b"\x0f\x06\x06\x0f\x06\x06\x06\x0f"));
        if date != self.template[0] || past & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
            return None;
        }
        // Two digits become one byte at the position of the first.
        let pairs = |digits: u64| digits * 10 + (digits >> 8);
        let byte = |word: u64, at: u32| (word >> (8 * at) & 0xff) as i64;
        let (hour, minute) = (byte(pairs(minutes), 3), byte(pairs(minutes), 6));
        let (second, millis) = (byte(pairs(seconds), 1), byte(seconds, 4) * 100 + byte(pairs(seconds), 5));
        let is_clock = hour < 24 && minute < 60 && second < 60;
        is_clock.then_some(self.day_millis + hour * 3_600_000 + minute * 60_000 + second * 1000 + millis)
    }

    /// The time in any form; remembers its day.
    #[cold]
    fn read_any(&mut self, text: &[u8]) -> Result<i64, Reason> {
        let millis = parse_rfc3339(text)?;
        // In UTC the day is the date as written.
        if let Some(date) = text.first_chunk::<10>()
            && text.ends_with(b"Z")
        {
            let mut template = *b"dddd-dd-ddT00:00:00.000Z";
            template[..10].copy_from_slice(date);
            self.template = words(&template);
            self.day_millis = millis - millis.rem_euclid(86_400_000);
        }
        Ok(millis)
    }
}

#[inline(always)]
fn words(text: &[u8; 24]) -> [u64; 3] {
    let word = |at: usize| u64::from_le_bytes(*text[at..].first_chunk().expect("24 bytes are three words"));
    [word(0), word(8), word(16)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time() -> impl Strategy<Value = Vec<u8>> {
        let usual = (0..3_u32, 0..30_u32, 0..62_u32, 0..62_u32, 0..1000_u32).prop_map(
            |(day, hour, minute, second, millis)| {
                format!("2026-03-0{day}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z").into_bytes()
            },
        );
        // A byte or two changed: other separators, letters, bytes past ASCII.
        (usual, prop::collection::vec((0..24_usize, any::<u8>()), 0..2), 20..26_usize).prop_map(
            |(mut text, changes, length)| {
                for (at, byte) in changes {
                    text[at] = byte;
                }
                text.resize(length, b'Z');
                text
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn reads_what_the_contract_reads(times in prop::collection::vec(time(), 1..6)) {
            let mut reader = TimeReader::default();
            for text in times {
                let shown = String::from_utf8_lossy(&text).into_owned();
                prop_assert_eq!(reader.read(Span::from(&text[..])), parse_rfc3339(&text), "{}", shown);
            }
        }
    }
}
