//! Times in the form that nearly all producers write, `2026-03-01T09:30:00.123Z`, eight bytes at a time.
//!
//! Other forms, and whatever is wrong, go to the contract's own reading, [`parse_rfc3339`].

use event_schema::Reason;
use event_schema::value::parse_rfc3339;

/// Reads times; remembers the day of the last one, for a day file's times are mostly of one day.
#[derive(Debug, Default)]
pub(super) struct TimeReader {
    date: [u8; 10],
    /// Milliseconds since 1970 of the start of that day.
    day_millis: i64,
}

impl TimeReader {
    /// Milliseconds since 1970-01-01T00:00:00Z; the same answer as [`parse_rfc3339`].
    #[inline(always)]
    pub(super) fn read(&mut self, text: &[u8]) -> Result<i64, Reason> {
        match text.first_chunk::<24>() {
            Some(usual) if text.len() == 24 => self.read_usual(usual).map_or_else(|| self.read_any(text), Ok),
            _ => parse_rfc3339(text),
        }
    }

    /// The time, if it has the usual form and the remembered day.
    #[inline(always)]
    fn read_usual(&self, text: &[u8; 24]) -> Option<i64> {
        let of_day = &text[11..19];
        if text[..10] != self.date || text[10] != b'T' || text[23] != b'Z' || text[19] != b'.' {
            return None;
        }
        let clock = digits(u64::from_le_bytes(of_day.try_into().ok()?), *b"00:00:00")?;
        let fraction = digits(
            u64::from_le_bytes([b'0', text[20], text[21], text[22], b'0', b'0', b'0', b'0']),
            [b'0'; 8],
        )?;
        let pair = |bytes: [u8; 8], at: usize| i64::from(bytes[at]) * 10 + i64::from(bytes[at + 1]);
        let (hour, minute, second) = (pair(clock, 0), pair(clock, 3), pair(clock, 6));
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let millis = i64::from(fraction[1]) * 100 + pair(fraction, 2);
        Some(self.day_millis + (hour * 3600 + minute * 60 + second) * 1000 + millis)
    }

    /// The time in any form; its day is remembered.
    #[cold]
    fn read_any(&mut self, text: &[u8]) -> Result<i64, Reason> {
        let millis = parse_rfc3339(text)?;
        // In UTC the time's day is the one that is written.
        if text.ends_with(b"Z") {
            self.date.copy_from_slice(&text[..10]);
            self.day_millis = millis - millis.rem_euclid(86_400_000);
        }
        Ok(millis)
    }
}

/// The digits of eight bytes, zero where `form` has no digit; `None` where they are not of that form.
#[inline]
fn digits(bytes: u64, form: [u8; 8]) -> Option<[u8; 8]> {
    // A digit leaves 0 to 9, the same other byte leaves 0.
    let left = bytes ^ u64::from_le_bytes(form);
    // Adding carries into a byte's upper half if it is past 9, or for another byte past 0.
    let room = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 6 } else { 15 }));
    // The second term looks at bytes whose sum could carry into the next: those have an upper half already.
    let past = (left | left.wrapping_add(room)) & 0xf0f0_f0f0_f0f0_f0f0;
    (past == 0).then(|| left.to_le_bytes())
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
                prop_assert_eq!(reader.read(&text), parse_rfc3339(&text), "{}", shown);
            }
        }
    }
}
