//! Places: JSON Pointers (RFC 6901), and elements of arrays by the value of a member.

use std::fmt;
use std::str::FromStr;

use super::Constant;

/// A place in an element, or in the line around it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    /// Whether it is counted from the root of the line around the element (`^/…`).
    pub is_around: bool,
    /// The pointer's steps, unescaped.
    pub steps: Vec<String>,
    /// The element of the array there that is meant, and the place inside of it.
    pub selection: Option<Selection>,
}

/// One element of an array: the first whose members have some values.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Members of the element and their values.
    pub is: Vec<(String, Constant)>,
    /// The place inside of the element, by steps.
    pub then: Vec<String>,
}

/// A text that is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceError {
    message: String,
}

impl Place {
    /// The root.
    pub fn root() -> Place {
        Place::default()
    }
}

/// The steps of a JSON Pointer.
pub(crate) fn parse_pointer(text: &str) -> Result<Vec<String>, PlaceError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(PlaceError {
            message: format!(
                "`{text}` is no place: a JSON Pointer begins with `/`, like \"/{text}\"; a constant is {{ value = \"{text}\" }}"
            ),
        });
    };
    rest.split('/')
        .map(|step| {
            let bytes = step.as_bytes();
            let is_good = (0..bytes.len())
                .all(|at| bytes[at] != b'~' || matches!(bytes.get(at + 1), Some(b'0' | b'1')));
            if is_good {
                Ok(step.replace("~1", "/").replace("~0", "~"))
            } else {
                Err(PlaceError {
                    message: format!("`{text}` is no JSON Pointer: `~` is written ~0, and `/` in a key ~1"),
                })
            }
        })
        .collect()
}

/// Writes steps as a JSON Pointer.
pub(crate) fn write_pointer(steps: &[String], out: &mut impl fmt::Write) -> fmt::Result {
    steps.iter().try_for_each(|step| write!(out, "/{}", step.replace('~', "~0").replace('/', "~1")))
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Place, PlaceError> {
        let (is_around, pointer) = match text.strip_prefix('^') {
            Some(pointer) => (true, pointer),
            None => (false, text),
        };
        Ok(Place { is_around, steps: parse_pointer(pointer)?, selection: None })
    }
}

impl fmt::Display for Place {
    /// As messages show it: `/event_params[key = "ga_session_id"]/value/int_value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_around {
            f.write_str("^")?;
        }
        write_pointer(&self.steps, f)?;
        if let Some(selection) = &self.selection {
            f.write_str("[")?;
            for (number, (member, value)) in selection.is.iter().enumerate() {
                write!(f, "{}{member} = {value}", if number == 0 { "" } else { ", " })?;
            }
            f.write_str("]")?;
            write_pointer(&selection.then, f)?;
        }
        Ok(())
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlaceError {}
