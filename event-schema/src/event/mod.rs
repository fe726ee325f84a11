//! Typed events for services that produce them.
//!
//! Every constructor checks its part of the contract, so an [`Event`] that exists can be written, and what
//! it writes is accepted by the loader of its day (an event belongs in the file of the day it happened on,
//! or of a later one).

mod payload;
mod properties;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use payload::{
    AbTestAssignment, OrderError, Payload, Period, Purchase, Refund, Session, Share, ShareError, TaskResult,
};
pub use properties::{CustomType, CustomTypeError, Properties, PropertiesError};

use crate::value::{Country, Text, Timestamp};

/// An event's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventId(uuid::Uuid);

impl EventId {
    /// A fresh UUIDv7.
    pub fn now() -> EventId {
        EventId(uuid::Uuid::now_v7())
    }

    /// Any 128 bits, e.g. derived from the producer's own key so that a retry writes the same id.
    pub const fn from_u128(bits: u128) -> EventId {
        EventId(uuid::Uuid::from_u128(bits))
    }
}

impl From<uuid::Uuid> for EventId {
    fn from(id: uuid::Uuid) -> EventId {
        EventId(id)
    }
}

/// The fields that every event has.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The event's own id.
    pub event_id: EventId,
    /// Who did it.
    pub user_id: Text<1, 256>,
    /// When it happened.
    pub event_time: Timestamp,
    /// The session it happened in. A [`Session`] brings its own.
    pub session_id: Option<Text<1, 256>>,
    /// Where it happened: `ios`, `android`, `web`, …
    pub platform: Option<Text<1, 64>>,
    /// The product's version there.
    pub app_version: Option<Text<1, 64>>,
    /// The user's country.
    pub country: Option<Country>,
}

impl Envelope {
    /// An envelope of the required fields; set the others where they are known.
    pub fn new(event_id: EventId, user_id: Text<1, 256>, event_time: Timestamp) -> Envelope {
        Envelope {
            event_id,
            user_id,
            event_time,
            session_id: None,
            platform: None,
            app_version: None,
            country: None,
        }
    }
}

/// One event, ready to be written. Its JSON has the keys in the contract's order and no blanks, the form
/// the parser is fastest at.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    envelope: Envelope,
    payload: Payload,
}

impl Event {
    /// Puts a payload into its envelope. The session id of a [`Session`] becomes the envelope's.
    pub fn new(mut envelope: Envelope, payload: Payload) -> Event {
        if let Payload::Session(session) = &payload {
            envelope.session_id = Some(session.session_id().clone());
        }
        Event { envelope, payload }
    }

    /// The fields every event has.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// What the event's type adds.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The event as one line of JSON, without the line's end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an event has only string keys and cannot fail to serialise")
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let envelope = &self.envelope;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event_id", &envelope.event_id)?;
        map.serialize_entry("event_type", self.payload.event_type())?;
        map.serialize_entry("user_id", &envelope.user_id)?;
        map.serialize_entry("event_time", &envelope.event_time)?;
        if let Some(session_id) = &envelope.session_id {
            map.serialize_entry("session_id", session_id)?;
        }
        if let Some(platform) = &envelope.platform {
            map.serialize_entry("platform", platform)?;
        }
        if let Some(app_version) = &envelope.app_version {
            map.serialize_entry("app_version", app_version)?;
        }
        if let Some(country) = &envelope.country {
            map.serialize_entry("country", country)?;
        }
        map.serialize_entry("properties", &self.payload)?;
        map.end()
    }
}
