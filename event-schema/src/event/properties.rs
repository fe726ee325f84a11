//! The payloads of event types that the contract does not know.

use std::ops::Deref;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::registry;
use crate::value::{Text, TextError};

/// An `event_type` that the contract does not know: 1–128 bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct CustomType(Text<1, 128>);

/// A name that is not a [`CustomType`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomTypeError {
    /// It is too long, empty, or has control characters.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The contract has a payload for it.
    #[error("{0:?} is an event type of the contract: use its payload type")]
    Known(String),
}

impl CustomType {
    /// An event type, if the contract does not know the name.
    pub fn new(name: &str) -> Result<CustomType, CustomTypeError> {
        let text = Text::new(name)?;
        match registry::event_type(name) {
            Some(_) => Err(CustomTypeError::Known(name.to_owned())),
            None => Ok(CustomType(text)),
        }
    }
}

impl Deref for CustomType {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A payload with any members, within the size and depth that every loader accepts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Properties(Map<String, Value>);

/// A payload that a loader would reject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PropertiesError {
    /// It is nested too deep.
    #[error("properties have {found} levels; every loader accepts {}", Properties::MAX_DEPTH)]
    TooDeep {
        /// The number of levels, including the payload's own object.
        found: usize,
    },
    /// It is too long.
    #[error("properties have {found} bytes of JSON; a line has room for {}", Properties::MAX_BYTES)]
    TooLong {
        /// The bytes of its JSON.
        found: usize,
    },
}

impl Properties {
    /// The most levels, including this object: one less than the 64 that every loader accepts.
    pub const MAX_DEPTH: usize = 63;
    /// The most bytes of JSON: a line of 1 MiB without the longest envelope.
    pub const MAX_BYTES: usize = (1 << 20) - (16 << 10);

    /// A payload, if it is within the limits.
    pub fn new(properties: Map<String, Value>) -> Result<Properties, PropertiesError> {
        let found = 1 + properties.values().map(depth).max().unwrap_or(0);
        if found > Self::MAX_DEPTH {
            return Err(PropertiesError::TooDeep { found });
        }
        let properties = Properties(properties);
        let found = serde_json::to_string(&properties).expect("a map of JSON values serialises").len();
        if found > Self::MAX_BYTES { Err(PropertiesError::TooLong { found }) } else { Ok(properties) }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
