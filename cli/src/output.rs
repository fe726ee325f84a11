//! Results on stdout: text for people, one JSON document for programs.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use event_parser::LoadStats;
use event_schema::value::visible;
use serde::Serialize;
use tempfile::{Builder, TempPath};

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

/// Prints a result as one of several: a JSON document on a line of its own.
pub(crate) fn print_json_line<T: Serialize>(result: &T) -> Result<(), Failure> {
    let line = serde_json::to_string(result).expect("results have string keys") + "\n";
    print(line.as_bytes())
}

/// Writes to stdout. A reader that closes the pipe early (`| head`) is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A file that is written whole or not at all: under a temporary name beside it, until [`OutFile::finish`] gives it its
/// own. What was there before stays until then. A device or pipe is written to as it is.
pub(crate) struct OutFile {
    path: PathBuf,
    writer: BufWriter<File>,
    temporary: Option<TempPath>,
}

impl OutFile {
    pub(crate) fn create(path: &Path) -> Result<OutFile, Failure> {
        let failed = |error| Failure::writing(path, error);
        let metadata = fs::metadata(path).ok();
        if metadata.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            let file = File::options().write(true).open(path).map_err(failed)?;
            return Ok(OutFile { path: path.to_owned(), writer: BufWriter::new(file), temporary: None });
        }
        // Of a link, what it points to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let permissions = metadata.map_or_else(|| Permissions::from_mode(0o666), |file| file.permissions());
        let temporary = Builder::new()
            .prefix(".schoolbell-")
            .suffix(".tmp")
            .permissions(permissions)
            .tempfile_in(folder.unwrap_or(Path::new(".")));
        let (file, temporary) = temporary.map_err(failed)?.into_parts();
        Ok(OutFile { path: target, writer: BufWriter::new(file), temporary: Some(temporary) })
    }

    /// Gives the file its name. Without it, nothing is left.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let failed = |error| Failure::writing(&self.path, error);
        self.writer.flush().map_err(failed)?;
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        // A disk that is full, or a share that is gone, may say so only now.
        self.writer.get_ref().sync_all().map_err(failed)?;
        temporary.persist(&self.path).map_err(|error| failed(error.error))
    }
}

impl io::Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
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

/// What a mapping has dropped, to follow other counts: `, 812 dropped (profile 800, no user 12)`; nothing for nothing.
pub(crate) fn dropped_of(stats: &LoadStats) -> String {
    if stats.dropped.is_empty() {
        return String::new();
    }
    let words: Vec<String> = stats
        .dropped
        .iter()
        .map(|(word, lines)| format!("{} {}", visible(word), thousands(*lines)))
        .collect();
    format!(", {} dropped ({})", thousands(stats.dropped_lines()), words.join(", "))
}

/// A column of a table for people.
pub(crate) struct Column {
    name: &'static str,
    is_right: bool,
}

impl Column {
    /// Of text.
    pub(crate) fn left(name: &'static str) -> Column {
        Column { name, is_right: false }
    }

    /// Of numbers.
    pub(crate) fn right(name: &'static str) -> Column {
        Column { name, is_right: true }
    }
}

/// A table with a header. A row of one cell is a remark, as wide as it is.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let header = columns.iter().map(|column| column.name.to_owned()).collect();
    let rows: Vec<&Vec<String>> = std::iter::once(&header).chain(rows).collect();
    let width = |index: usize| {
        let cells = rows.iter().filter(|row| row.len() > 1).filter_map(|row| row.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            let separator = if index == 0 { "" } else { "  " };
            let width = if row.len() > 1 { widths[index] } else { 0 };
            if columns[index].is_right {
                write!(line, "{separator}{cell:>width$}").expect("writing to a string");
            } else {
                write!(line, "{separator}{cell:<width$}").expect("writing to a string");
            }
        }
        writeln!(text, "{}", line.trim_end()).expect("writing to a string");
    }
    text
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
