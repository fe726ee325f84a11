//! The column `extra`: what the contract does not know, as JSON.

use crate::walk::{Fields, Unknown};

/// Appends the unknown members of the envelope, and under `properties` those of the payload; nothing where
/// there are none.
pub(super) fn collect(line: &[u8], fields: &Fields, has_payload: bool, out: &mut Vec<u8>) {
    let envelope = &fields.envelope.unknown;
    let payload: &[Unknown] =
        if has_payload && fields.payload_of.is_some() { &fields.payload.unknown } else { &[] };
    if envelope.is_empty() && payload.is_empty() {
        return;
    }
    out.push(b'{');
    members(line, envelope, out);
    if !payload.is_empty() {
        if !envelope.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"properties\":{");
        members(line, payload, out);
        out.push(b'}');
    }
    out.push(b'}');
}

fn members(line: &[u8], members: &[Unknown], out: &mut Vec<u8>) {
    for (number, Unknown { key, value }) in members.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&line[key.0 as usize..key.1 as usize]);
        out.push(b':');
        out.extend_from_slice(&line[value.0 as usize..value.1 as usize]);
    }
}
