//! A position in a line, and how the grammar steps over the value there.

use super::strings;
use super::{LineError, MAX_DEPTH, Slot, SlotKind};

/// A position in a line. A copy remembers the position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// The chunk up to the line's end: positions are counted from the chunk's start.
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a [u8], start: usize) -> Self {
        Cursor { line, at: start }
    }

    pub(super) fn at(&self) -> u32 {
        self.at as u32
    }

    /// The chunk up to the line's end.
    pub(super) fn line(&self) -> &'a [u8] {
        self.line
    }

    /// The byte after any blanks; `None` at the line's end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\r') = self.line.get(self.at) {
            self.at += 1;
        }
        self.line.get(self.at).copied()
    }

    /// Steps over a byte that was peeked.
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    pub(super) fn error<T>(&self, expected: &'static str) -> Result<T, LineError> {
        Err(LineError::Syntax { at: self.at, expected })
    }

    /// Steps over blanks and a byte.
    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), LineError> {
        if self.peek() != Some(byte) {
            return self.error(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a string; the cursor is at its opening quote. A string with escapes is returned without unescaping, as
    /// [`SlotKind::Escaped`].
    pub(super) fn string(&mut self) -> Result<Slot, LineError> {
        let start = self.at + 1;
        let (end, is_escaped) = strings::end(self.line, self.at)?;
        self.at = end + 1;
        let kind = if is_escaped { SlotKind::Escaped } else { SlotKind::PlainString };
        Ok(Slot { kind, start: start as u32, end: end as u32 })
    }

    /// Steps over a key and its colon.
    pub(super) fn key(&mut self) -> Result<Slot, LineError> {
        if self.peek() != Some(b'"') {
            return self.error("a key in double quotes");
        }
        let key = self.string()?;
        self.expect(b':', "`:` after a key")?;
        Ok(key)
    }

    /// Steps over a value, inside `depth` levels of objects and arrays.
    pub(super) fn value(&mut self, depth: u32) -> Result<Slot, LineError> {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'"') => return self.string(),
            Some(b'{') => {
                self.nested(depth)?;
                SlotKind::Object
            }
            Some(b'[') => {
                self.nested(depth)?;
                SlotKind::Array
            }
            _ => self.literal()?,
        };
        Ok(Slot { kind, start: start as u32, end: self.at as u32 })
    }

    /// Steps over a number, `true`, `false` or `null`.
    fn literal(&mut self) -> Result<SlotKind, LineError> {
        let (word, kind): (&[u8], _) = match self.line.get(self.at) {
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b't') => (b"true", SlotKind::True),
            Some(b'f') => (b"false", SlotKind::False),
            Some(b'n') => (b"null", SlotKind::Null),
            _ => return self.error("a value"),
        };
        if !self.line[self.at..].starts_with(word) {
            return self.error("`true`, `false` or `null`");
        }
        self.at += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<SlotKind, LineError> {
        match super::number::end(self.line, self.at) {
            Ok(end) => {
                self.at = end;
                Ok(SlotKind::Number)
            }
            Err(error) => Err(error),
        }
    }

    /// Steps over an object or array of any structure; the cursor is at its bracket, inside `outer` levels.
    fn nested(&mut self, outer: u32) -> Result<(), LineError> {
        // The open levels, the innermost the lowest bit: 1 is an object. MAX_DEPTH of them fit.
        let mut open_objects: u128 = 0;
        let mut depth = 0;
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if outer + depth == MAX_DEPTH {
                        return Err(LineError::TooDeep { at: self.at });
                    }
                    let is_object = bracket == b'{';
                    open_objects = open_objects << 1 | u128::from(is_object);
                    depth += 1;
                    self.at += 1;
                    let close = if is_object { b'}' } else { b']' };
                    if self.peek() == Some(close) {
                        self.at += 1;
                        open_objects >>= 1;
                        depth -= 1;
                    } else {
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                _ => {
                    self.literal()?;
                }
            }
            // A value has ended: close what ends with it, up to the next value.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = open_objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => {}
                    Some(b']') if !is_object => {}
                    _ if is_object => return self.error("`,` or `}`"),
                    _ => return self.error("`,` or `]`"),
                }
                self.at += 1;
                open_objects >>= 1;
                depth -= 1;
            }
        }
    }
}
