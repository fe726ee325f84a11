//! Conversions of values: each answers whether it can be done, and says elsewhere what it expects.
//!
//! A conversion writes into a text that is used again; nothing is allocated. Numbers are read from their digits, never
//! through a float (but for shares, which are floats).

mod date;
mod decimal;
mod duration;
mod id;
mod money;
mod share;
mod text;
mod time;

#[cfg(test)]
mod tests;

pub(crate) use date::write_date;
pub(crate) use duration::write_duration;
pub(crate) use id::{write_made_id, write_uuid};
pub(crate) use money::write_minor_units;
pub(crate) use share::{share, write_share};
pub(crate) use text::{last_segment, write_lower, write_snake_case, write_upper};
pub(crate) use time::{is_time, write_epoch, write_local_time};

/// A value that is converted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Input<'a> {
    /// A string's text, unescaped.
    Text(&'a str),
    /// A number as it stands.
    Number(&'a str),
    /// A boolean.
    Boolean(bool),
    /// An object or array.
    Nested,
}

/// The value is not one that the conversion takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

impl<'a> Input<'a> {
    /// A string's text, or what a number or boolean stands as.
    pub(crate) fn scalar(self) -> Result<&'a str, Failed> {
        match self {
            Input::Text(text) | Input::Number(text) => Ok(text),
            Input::Boolean(true) => Ok("true"),
            Input::Boolean(false) => Ok("false"),
            Input::Nested => Err(Failed),
        }
    }

    /// A string's text.
    pub(crate) fn text(self) -> Result<&'a str, Failed> {
        if let Input::Text(text) = self { Ok(text) } else { Err(Failed) }
    }

    /// A number, or a text that spells one.
    pub(crate) fn number(self) -> Result<&'a str, Failed> {
        match self {
            Input::Text(text) | Input::Number(text) => Ok(text),
            _ => Err(Failed),
        }
    }
}
