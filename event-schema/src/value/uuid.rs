//! UUIDs.

use crate::Reason;

/// The 128 bits of a UUID in the form 8-4-4-4-12 in hex, any case, any version; else [`Reason::InvalidValue`].
pub fn parse_uuid(text: &[u8]) -> Result<u128, Reason> {
    // The library also reads braces, URNs and plain hex: only the hyphenated form has this length.
    if text.len() != 36 {
        return Err(Reason::InvalidValue);
    }
    uuid::Uuid::try_parse_ascii(text).map(|id| id.as_u128()).map_err(|_| Reason::InvalidValue)
}
