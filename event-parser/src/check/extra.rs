//! The column `extra`: what the contract does not know, as JSON.

use crate::walk::Unknown;

/// Appends the unknown members of the envelope, and under `properties` those of the payload. There are some.
#[cold]
pub(super) fn collect(chunk: &[u8], unknown: &[Unknown], out: &mut Vec<u8>) {
    out.push(b'{');
    members(chunk, unknown.iter().filter(|member| !member.in_payload), out);
    if unknown.iter().any(|member| member.in_payload) {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(b"\"properties\":{");
        members(chunk, unknown.iter().filter(|member| member.in_payload), out);
        out.push(b'}');
    }
    out.push(b'}');
}

fn members<'a>(chunk: &[u8], members: impl Iterator<Item = &'a Unknown>, out: &mut Vec<u8>) {
    for (number, Unknown { key, value, .. }) in members.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&chunk[key.0 as usize..key.1 as usize]);
        out.push(b':');
        out.extend_from_slice(&chunk[value.0 as usize..value.1 as usize]);
    }
}
