//! Results on stdout: text for people, one JSON document for programs.

use std::fmt::Write as _;
use std::io::Write as _;

use serde::Serialize;

use crate::failure::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

impl Output {
    /// Prints a result.
    pub(crate) fn print<T: Serialize>(
        self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let printed = match self {
            Output::Text => text(result),
            Output::Json => serde_json::to_string_pretty(result).expect("results have string keys") + "\n",
        };
        print(printed.as_bytes())
    }
}

/// Writes to stdout. Whoever reads it may have read enough (`| head`): that is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Rows of label and number, the numbers in a column of their own; rows of zero are left out.
pub(crate) fn counts<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> String {
    let mut text = String::new();
    for (label, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        writeln!(text, "    {label:<22}{:>16}", thousands(count)).expect("writing to a string");
    }
    text
}

/// Text on one line: control characters are spelt out.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    line
}

/// A number with a comma at every thousand.
pub(crate) fn thousands(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_parted() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::thousands(number), text);
        }
    }
}
