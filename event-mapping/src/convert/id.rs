//! UUIDs: of another spelling, or made.

use uuid::Uuid;

use super::{Failed, Input};

/// A UUID as 8-4-4-4-12 digits; read with hyphens, as 32 digits, in braces, or after `urn:uuid:`.
pub(crate) fn write_uuid(input: Input<'_>, out: &mut String) -> Result<(), Failed> {
    let id = Uuid::try_parse(input.text()?).map_err(|_| Failed)?;
    write(id, out);
    Ok(())
}

/// The UUID, version 5, of a name in a namespace.
pub(crate) fn write_made_id(namespace: &Uuid, name: &[u8], out: &mut String) {
    write(Uuid::new_v5(namespace, name), out);
}

fn write(id: Uuid, out: &mut String) {
    out.push_str(id.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]));
}
