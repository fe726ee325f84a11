//! Reads a corpus file: blocks of a name, input lines and one expectation for each of them.

use std::path::Path;

use super::notation::{Definitions, refuse_name, spell};
use super::{Case, CorpusError, Expected};
use crate::reference::{Options, REASONS, Value, date, timestamp};

/// All cases of a file, which stands at `path` within the corpus.
pub(super) fn file(path: &Path, text: &str) -> Result<Vec<Case>, CorpusError> {
    let mut definitions = Definitions::new();
    let mut cases = Vec::new();
    let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
    for block in lines.split(|(_, line)| line.trim().is_empty()) {
        let Some((first_line, _)) = block.first() else { continue };
        let wrong = |line, problem| CorpusError::Notation { file: path.to_owned(), line, problem };
        let mut open = Open::default();
        for (number, line) in block {
            open.read(line, *number, &mut definitions).map_err(|problem| wrong(*number, problem))?;
        }
        let case = open.finish(path, *first_line).map_err(|problem| wrong(*first_line, problem))?;
        cases.extend(case);
    }
    Ok(cases)
}

/// A block while it is read.
#[derive(Default)]
struct Open {
    comment: Option<(usize, String)>,
    options: Options,
    input: Vec<u8>,
    input_lines: usize,
    ended: bool,
    defines: bool,
    /// The one expectation holds for every line of the input.
    all: bool,
    expected: Vec<Expected>,
}

impl Open {
    fn read(&mut self, line: &str, number: usize, definitions: &mut Definitions) -> Result<(), String> {
        if let Some(detail) = line.strip_prefix("  ") {
            let last = self.expected.last_mut().ok_or("an indented line belongs under an expectation")?;
            return read_detail(last, detail.trim(), definitions);
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "#" => {
                // Several lines of comment: the last one next to the input is the name.
                self.comment = Some((number, rest.trim().to_owned()));
                Ok(())
            }
            "define" => {
                let (name, text) = rest.split_once(' ').ok_or("define NAME TEXT")?;
                if let Some(problem) = refuse_name(name) {
                    return Err(problem);
                }
                let bytes = spell(text, definitions)?.bytes;
                self.defines = true;
                match definitions.insert(name.to_owned(), bytes) {
                    None => Ok(()),
                    Some(_) => Err(format!("{name:?} is defined twice")),
                }
            }
            "option" => self.read_option(rest),
            ">" => self.add_input(rest.as_bytes(), false),
            ">x" => {
                let spelled = spell(rest, definitions)?;
                self.add_input(&spelled.bytes, spelled.no_newline)
            }
            "all" if self.expected.is_empty() => {
                self.all = true;
                self.read(rest, number, definitions)
            }
            "accept" if !rest.is_empty() => {
                self.expected.push(Expected::Accept { table: rest.to_owned(), columns: Vec::new() });
                Ok(())
            }
            "reject" => {
                let violations = vec![violation(rest)?];
                self.expected.push(Expected::Reject { violations, offset: None, raw: None });
                Ok(())
            }
            "blank" if rest.is_empty() => {
                self.expected.push(Expected::Blank);
                Ok(())
            }
            _ => Err(format!("{line:?} begins with no word of the notation")),
        }
    }

    fn read_option(&mut self, text: &str) -> Result<(), String> {
        match text.split_once(' ') {
            Some(("batch_date", day)) => {
                let numbers: Vec<u32> = day.split('-').filter_map(|part| part.parse().ok()).collect();
                let [year, month, day] = numbers[..] else {
                    return Err("batch_date wants YYYY-MM-DD".into());
                };
                self.options.batch_date = (year as i32, month, day);
            }
            Some(("max_line_bytes", bytes)) => {
                self.options.max_line_bytes = bytes.parse().map_err(|_| "max_line_bytes wants a number")?;
            }
            _ => return Err(format!("no such option: {text:?}")),
        }
        Ok(())
    }

    fn add_input(&mut self, bytes: &[u8], no_newline: bool) -> Result<(), String> {
        if self.ended {
            return Err("a line after one with «no newline»".into());
        }
        if !self.expected.is_empty() {
            return Err("an input line after an expectation: begin a new case with an empty line".into());
        }
        self.input.extend_from_slice(bytes);
        if !no_newline {
            self.input.push(b'\n');
        }
        self.ended = no_newline;
        self.input_lines += 1;
        Ok(())
    }

    fn finish(mut self, path: &Path, first_line: usize) -> Result<Option<Case>, String> {
        if self.input_lines == 0 && self.expected.is_empty() {
            return Ok(None);
        }
        if self.defines {
            return Err("definitions stand in a block of their own".into());
        }
        let (line, name) = self.comment.ok_or("a case wants a name: a line of # above its input")?;
        if self.input_lines == 0 {
            return Err(format!("the case of line {first_line} has no input"));
        }
        // An input line may spell further line ends, or nothing at all.
        let source_lines = crate::reference::split(&self.input).len();
        if self.all && self.expected.len() == 1 {
            self.expected = vec![self.expected[0].clone(); source_lines];
        }
        if self.expected.len() != source_lines {
            return Err(format!(
                "{source_lines} input lines want as many expectations, there are {}",
                self.expected.len()
            ));
        }
        check_place(path, &self.expected)?;
        Ok(Some(Case {
            name,
            file: path.to_owned(),
            line,
            input: self.input,
            options: self.options,
            expected: self.expected,
        }))
    }
}

/// Whether a case stands in its folder: `accept`, `reject/REASON`, or `files` for any.
fn check_place(path: &Path, expected: &[Expected]) -> Result<(), String> {
    let folders: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let fits = |fit: &dyn Fn(&Expected) -> bool| expected.iter().all(fit);
    match folders[..] {
        ["accept", _] if fits(&|e| matches!(e, Expected::Accept { .. })) => Ok(()),
        ["accept", _] => Err("a case under accept/ expects something else than accept".into()),
        ["reject", reason, _] if REASONS.contains(&reason) => {
            let has_reason = |e: &Expected| match e {
                Expected::Reject { violations, .. } => violations[0].0 == reason,
                _ => false,
            };
            if fits(&has_reason) {
                Ok(())
            } else {
                Err(format!("a case under reject/{reason}/ expects something else than that reason first"))
            }
        }
        ["files", _] => Ok(()),
        _ => Err("a corpus file stands in accept/, reject/REASON/ or files/".into()),
    }
}

/// `REASON FIELD`, or `REASON` alone for one of the whole line.
fn violation(text: &str) -> Result<(String, String), String> {
    let (reason, field) = text.split_once(' ').unwrap_or((text, ""));
    if !REASONS.contains(&reason) {
        return Err(format!("{reason:?} is no reason of the contract"));
    }
    Ok((reason.to_owned(), field.trim().to_owned()))
}

/// An indented line: a column of a row, or more of a refusal.
fn read_detail(expected: &mut Expected, text: &str, definitions: &Definitions) -> Result<(), String> {
    let (word, rest) = text.split_once(' ').ok_or_else(|| format!("{text:?} wants two words"))?;
    match expected {
        Expected::Accept { columns, .. } => columns.push((word.to_owned(), value(rest, definitions)?)),
        Expected::Reject { violations, offset, raw } => match word {
            "and" => violations.push(violation(rest)?),
            "offset" => *offset = Some(rest.parse().map_err(|_| "offset wants a number")?),
            "raw" => match value(rest, definitions)? {
                Value::Text(bytes) => *raw = Some(bytes),
                _ => return Err("raw wants a text in quotes".into()),
            },
            _ => return Err(format!("{word:?} is not known under reject: and, offset, raw")),
        },
        Expected::Blank => return Err("a blank line has no details".into()),
    }
    Ok(())
}

/// A column's value: `null`, `true`, `false`, an integer, a float (with a point or exponent), a date
/// (as days), a timestamp in UTC (as milliseconds), or a text in single quotes.
fn value(text: &str, definitions: &Definitions) -> Result<Value, String> {
    if let Some(quoted) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(Value::Text(spell(quoted, definitions)?.bytes));
    }
    let word = match text {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    };
    let time = || date(text.as_bytes()).or_else(|| timestamp(text.as_bytes())).map(Value::Int);
    word.or_else(|| text.parse().ok().map(Value::Int))
        .or_else(time)
        .or_else(|| text.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float))
        .ok_or_else(|| format!("{text:?} is no value (texts want single quotes)"))
}
