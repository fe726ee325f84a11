//! JSON by the grammar: a strict walk of our own, and `serde_json` as the second opinion.
//!
//! `serde_json` alone would not do: what it skips it does not check for lone surrogates, it refuses
//! numbers that no float can hold, its recursion ends at 127 levels, and its maps merge repeated keys.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The deepest nesting that is accepted; the outermost object or array is level 1.
const MAX_DEPTH: usize = 128;

/// What stops the walk, the first one met from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Grammar,
    /// An escape in the string that begins at this byte spells half a surrogate pair.
    LoneSurrogate {
        string_at: usize,
    },
    TooDeep,
}

/// Checks that a line is one JSON value; the reason if it is not.
pub(super) fn check(line: &str) -> Result<(), &'static str> {
    let mut walk = Walk { bytes: line.as_bytes(), at: 0, strings: Vec::new() };
    let ours = walk.document();
    let theirs = serde_json::from_str::<IgnoredAny>(line);
    match ours {
        Ok(()) => {
            assert!(theirs.is_ok(), "serde_json refuses what the walk accepts: {theirs:?} in {line}");
            for (from, to) in walk.strings {
                decode(&line[from..to]);
            }
            Ok(())
        }
        Err(Fault::Grammar) => {
            assert!(theirs.is_err(), "serde_json accepts what the walk refuses: {line}");
            Err("invalid_json")
        }
        Err(Fault::LoneSurrogate { string_at }) => {
            let string = &line[string_at..end_of_string(line.as_bytes(), string_at)];
            let theirs = serde_json::from_str::<String>(string);
            assert!(theirs.is_err(), "serde_json finds no lone surrogate in {string}");
            Err("invalid_json")
        }
        // Whether the rest of such a line is JSON is nobody's question.
        Err(Fault::TooDeep) => Err("nesting_too_deep"),
    }
}

/// One past the closing quote of the string that begins at `start`, or the end of the line.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A string's value. The walk has accepted the string, so `serde_json` must.
fn decode(string: &str) -> String {
    serde_json::from_str(string).unwrap_or_else(|error| panic!("serde_json refuses {string}: {error}"))
}

/// A walk along the grammar of RFC 8259, from left to right.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the strings met so far begin and end, quotes included.
    strings: Vec<(usize, usize)>,
}

impl Walk<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        self.blanks();
        self.value(0)?;
        self.blanks();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Fault::Grammar) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(Fault::Grammar);
        }
        self.at += 1;
        Ok(())
    }

    /// A value that stands within `depth` objects and arrays.
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err(Fault::TooDeep),
            Some(b'{') => self.items(b'}', depth + 1),
            Some(b'[') => self.items(b']', depth + 1),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(Fault::Grammar),
        }
    }

    /// The inside of an object or array, up to and with its closing bracket.
    fn items(&mut self, close: u8, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.string()?;
                self.blanks();
                self.expect(b':')?;
                self.blanks();
            }
            self.value(depth)?;
            self.blanks();
            if self.peek() != Some(b',') {
                return self.expect(close);
            }
            self.at += 1;
            self.blanks();
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Fault::Grammar) }
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let lone = Err(Fault::LoneSurrogate { string_at: start });
        self.expect(b'"')?;
        loop {
            match self.peek() {
                None | Some(0..=0x1f) => return Err(Fault::Grammar),
                Some(b'"') => {
                    self.at += 1;
                    self.strings.push((start, self.at));
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => match self.code_unit()? {
                            0xdc00..=0xdfff => return lone,
                            0xd800..=0xdbff => {
                                if !self.bytes[self.at..].starts_with(b"\\u") {
                                    return lone;
                                }
                                self.at += 1;
                                if !(0xdc00..=0xdfff).contains(&self.code_unit()?) {
                                    return lone;
                                }
                            }
                            _ => {}
                        },
                        _ => return Err(Fault::Grammar),
                    }
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// A `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Fault::Grammar)?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// A member of an object, as it stood and as it reads.
#[derive(Debug)]
pub(super) struct Member {
    /// The key after unescaping.
    pub(super) key: String,
    /// The key as it stood, quotes included.
    pub(super) key_text: String,
    /// The value as it stood.
    pub(super) value_text: String,
}

/// All members of an object in their order, repeated keys included.
#[derive(Debug)]
pub(super) struct Members(pub(super) Vec<Member>);

impl Members {
    /// The members of a checked object's text.
    pub(super) fn of(object: &str) -> Self {
        serde_json::from_str(object).unwrap_or_else(|error| panic!("serde_json refuses {object}: {error}"))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push(Member {
                        key: decode(key.get()),
                        key_text: key.get().to_owned(),
                        value_text: value.get().to_owned(),
                    });
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A value by its JSON type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it stood.
    Number(String),
    /// A string after unescaping.
    Text(String),
    /// An array.
    Array,
    /// An object as it stood.
    Object(String),
}

impl Given {
    /// The type and content of a checked value's text.
    pub(super) fn of(value_text: &str) -> Self {
        match value_text {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            text if text.starts_with('"') => Self::Text(decode(text)),
            text if text.starts_with('[') => Self::Array,
            text if text.starts_with('{') => Self::Object(text.to_owned()),
            text => Self::Number(text.to_owned()),
        }
    }
}
