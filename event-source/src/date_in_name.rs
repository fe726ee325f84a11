//! The dates in a source's name.

use event_schema::value::Date;

/// Bytes of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;

/// The dates, `YYYY-MM-DD`, that stand in a name: those of the file or object itself, or where that has none, those of
/// the folders it is in. In their order, each once.
///
/// Digits beside it make it part of something else; what the calendar does not have is no date.
pub(crate) fn dates(name: &str) -> Vec<Date> {
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    let dates = dates_in(file);
    if dates.is_empty() { dates_in(folders) } else { dates }
}

fn dates_in(text: &str) -> Vec<Date> {
    let mut dates = Vec::new();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    for start in 0..text.len() {
        let end = start + DATE_BYTES;
        let Some(date) = text.get(start..end).and_then(|date| date.parse().ok()) else { continue };
        if !is_digit(start.checked_sub(1)) && !is_digit(Some(end)) && !dates.contains(&date) {
            dates.push(date);
        }
    }
    dates
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_tells_its_dates() {
        for (name, dates) in [
            ("days/2026-03-01.jsonl.gz", "2026-03-01"),
            ("2026-01-01/events-2026-03-02.part3.jsonl", "2026-03-02"),
            ("s3://bucket/events/date=2026-03-01/hour=05/part-0001.gz", "2026-03-01"),
            ("2026-03-01/2026-03-01T05.jsonl", "2026-03-01"),
            ("2026-03-01_2026-03-02.jsonl", "2026-03-01 2026-03-02"),
            ("2026-03-01/2026-03-02/part.jsonl", "2026-03-01 2026-03-02"),
            ("ключ-2026-13-40.jsonl", ""),
            ("12026-03-01.jsonl", ""),
            ("2026-03-012.jsonl", ""),
            ("20260301.jsonl", ""),
            ("-", ""),
            ("", ""),
        ] {
            let found: Vec<String> = super::dates(name).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), dates, "{name}");
        }
    }
}
