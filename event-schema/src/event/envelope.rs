//! The envelope: the fields that every event has.

use serde::ser::SerializeMap;

use super::EventId;
use super::parse::{self, Object, letters, text, time, uuid};
use crate::value::{Country, Text, Timestamp};

/// The fields that every event has.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The event's own id.
    pub event_id: EventId,
    /// Who did it.
    pub user_id: Text<1, 256>,
    /// When it happened.
    pub event_time: Timestamp,
    /// The session it happened in. A [`Session`](super::Session) brings its own.
    pub session_id: Option<Text<1, 256>>,
    /// Where it happened: `ios`, `android`, `web`, …
    pub platform: Option<Text<1, 64>>,
    /// The product's version there.
    pub app_version: Option<Text<1, 64>>,
    /// The user's country.
    pub country: Option<Country>,
}

impl Envelope {
    /// An envelope with the required fields. Set the others where they are known.
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

    /// Writes the members before `properties`, in the contract's order.
    pub(super) fn serialize_members<M: SerializeMap>(
        &self,
        event_type: &str,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry("event_id", &self.event_id)?;
        map.serialize_entry("event_type", event_type)?;
        map.serialize_entry("user_id", &self.user_id)?;
        map.serialize_entry("event_time", &self.event_time)?;
        if let Some(session_id) = &self.session_id {
            map.serialize_entry("session_id", session_id)?;
        }
        if let Some(platform) = &self.platform {
            map.serialize_entry("platform", platform)?;
        }
        if let Some(app_version) = &self.app_version {
            map.serialize_entry("app_version", app_version)?;
        }
        if let Some(country) = &self.country {
            map.serialize_entry("country", country)?;
        }
        Ok(())
    }

    pub(super) fn parse(line: &Object<'_>) -> parse::Result<Envelope> {
        let event_id = EventId::from_u128(line.required("event_id", uuid)?);
        let (user_id, event_time) = (line.required("user_id", text)?, line.required("event_time", time)?);
        Ok(Envelope {
            session_id: line.optional("session_id", text)?,
            platform: line.optional("platform", text)?,
            app_version: line.optional("app_version", text)?,
            country: line.optional("country", letters)?,
            ..Envelope::new(event_id, user_id, event_time)
        })
    }
}
