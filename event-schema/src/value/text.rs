//! Bounded strings without control characters, and codes of capital letters.

use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::str::FromStr;

use serde::Serialize;

use crate::Reason;

/// A string of `MIN` to `MAX` bytes of UTF-8 without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// A string that is not a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Too short or too long.
    #[error("expected {min} to {max} bytes, found {found}")]
    Length {
        /// The fewest bytes allowed.
        min: usize,
        /// The most bytes allowed.
        max: usize,
        /// The string's bytes.
        found: usize,
    },
    /// It contains U+0000–U+001F or U+007F.
    #[error("expected no control character, found U+{found:04X} at byte {at}")]
    ControlCharacter {
        /// The character.
        found: u32,
        /// Its position in bytes.
        at: usize,
    },
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// A text, if the string has the right length and no control character.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if !(MIN..=MAX).contains(&text.len()) {
            return Err(TextError::Length { min: MIN, max: MAX, found: text.len() });
        }
        match text.bytes().position(is_control) {
            Some(at) => Err(TextError::ControlCharacter { found: u32::from(text.as_bytes()[at]), at }),
            None => Ok(Text(text)),
        }
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for Text<MIN, MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text for a message, on one line, with invisible characters escaped, like `<U+FEFF>`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            write!(shown, "<U+{:04X}>", u32::from(character)).expect("writing to a string");
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character is invisible, or looks like a space: control and format characters such as U+FEFF and U+200B,
/// spaces other than U+0020, and characters that Unicode has not assigned.
pub fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    // The standard library knows which characters are printable; an accent is printable after a letter.
    let after_a_letter = String::from_iter(['a', character]);
    after_a_letter.escape_debug().skip(1).take(2).eq("\\u".chars())
}

/// A code that does not have the right number of letters A–Z.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {letters} letters A-Z, found {found:?}")]
pub struct LettersError {
    letters: usize,
    found: String,
}

/// `N` letters A–Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Letters<const N: usize>([u8; N]);

/// A country: two letters A–Z (ISO 3166-1 alpha-2).
pub type Country = Letters<2>;
/// A currency: three letters A–Z (ISO 4217).
pub type Currency = Letters<3>;

impl<const N: usize> Letters<N> {
    /// The letters as a string.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("letters A-Z are ASCII")
    }
}

impl<const N: usize> FromStr for Letters<N> {
    type Err = LettersError;

    fn from_str(text: &str) -> Result<Self, LettersError> {
        match <[u8; N]>::try_from(text.as_bytes()) {
            Ok(letters) if is_upper_letters(&letters) => Ok(Letters(letters)),
            _ => Err(LettersError { letters: N, found: text.to_owned() }),
        }
    }
}

impl<const N: usize> Serialize for Letters<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Checks an unescaped string: at most `max` bytes and no control character, else [`Reason::InvalidValue`]. The caller
/// checks that a required string is not empty.
pub fn check_text(text: &[u8], max: usize) -> Result<(), Reason> {
    if text.len() <= max && !text.iter().copied().any(is_control) {
        Ok(())
    } else {
        Err(Reason::InvalidValue)
    }
}

/// U+0000–U+001F or U+007F.
pub const fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Whether every byte is a letter A–Z.
pub fn is_upper_letters(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_uppercase)
}
