//! The only place where a name or a value becomes SQL text.
//!
//! `ClickHouse` reads the same backslash escapes in `'text'` and in `` `names` ``. An opening brace is always
//! written `\x7B`, so no name or value can open a jinja expression (`{{`, `{%`, `{#`) in a dbt model.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::LazyLock;

/// Words that the parser of `ClickHouse` may read as something else than a name (`system.keywords` of 26.7,
/// word by word, and the spellings of special floats).
static KEYWORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("keywords.txt").split_whitespace().collect());

/// The name of a column, table, CTE or database, kept as it is meant; quoted when rendered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(Cow<'static, str>);

impl Ident {
    /// The name itself, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Ident {
    fn from(name: &'static str) -> Ident {
        Ident(Cow::Borrowed(name))
    }
}

impl From<String> for Ident {
    fn from(name: String) -> Ident {
        Ident(Cow::Owned(name))
    }
}

impl From<&Ident> for Ident {
    fn from(name: &Ident) -> Ident {
        name.clone()
    }
}

/// A name in SQL: bare where it is plain `snake_case` and no keyword, else in backticks.
pub fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !KEYWORDS.contains(name);
    if plain { name.to_owned() } else { quoted(name, '`') }
}

/// A text value in SQL, in single quotes.
pub fn quote_text(value: &str) -> String {
    quoted(value, '\'')
}

/// A text inside a jinja expression (`ref('…')`), where SQL's rules do not hold.
pub fn quote_jinja(value: &str) -> String {
    // Jinja reads the escapes of Python, so the same form serves.
    quoted(value, '\'')
}

/// A text that jinja renders, as docs are, so that it comes out as it is.
pub fn quote_in_jinja_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // A brace opens something only with the character after it.
        if c == '{' && matches!(rest.peek(), Some('{' | '%' | '#')) {
            out.push_str("{{ '{' }}");
        } else {
            out.push(c);
        }
    }
    out
}

fn quoted(value: &str, quote: char) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push(quote);
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '{' => out.push_str("\\x7B"),
            c if c == quote => out.extend(['\\', quote]),
            c if c.is_ascii_control() => {
                write!(out, "\\x{:02X}", u32::from(c)).expect("a String takes all that is written");
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
