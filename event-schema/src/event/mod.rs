//! Typed events for services that write or read them.
//!
//! Every constructor checks its part of the contract: a line that [`Event::to_line`] writes is accepted by the loader, in
//! the file of the day on which the event happened, or of a later day. [`str::parse`] reads such a line back.

mod envelope;
mod parse;
mod payload;
mod properties;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use envelope::Envelope;
pub use parse::ParseEventError;
pub use payload::{
    AbTestAssignment, OrderError, Payload, Period, Purchase, Refund, Session, Share, ShareError, TaskResult,
};
pub use properties::{CustomType, CustomTypeError, Properties, PropertiesError};

/// An event's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventId(uuid::Uuid);

impl EventId {
    /// A fresh UUIDv7.
    pub fn now() -> EventId {
        EventId(uuid::Uuid::now_v7())
    }

    /// Any 128 bits, e.g. derived from the producer's own key, so that a retry writes the same id.
    pub const fn from_u128(bits: u128) -> EventId {
        EventId(uuid::Uuid::from_u128(bits))
    }
}

impl From<uuid::Uuid> for EventId {
    fn from(id: uuid::Uuid) -> EventId {
        EventId(id)
    }
}

/// One event, ready to be written. Its JSON has the keys in the contract's order and no blanks, the form that the parser
/// reads fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    envelope: Envelope,
    payload: Payload,
}

impl Event {
    /// An event of an envelope and a payload. The session id of a [`Session`] becomes the envelope's.
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

    /// The fields of the event's type.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The event as one line of JSON, without the line ending.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an event has only string keys and cannot fail to serialise")
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.envelope.serialize_members(self.payload.event_type(), &mut map)?;
        map.serialize_entry("properties", &self.payload)?;
        map.end()
    }
}
