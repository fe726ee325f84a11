//! The column `extra`: unknown members as JSON.

#![expect(clippy::inline_always, reason = "the pieces are visited twice: to count bytes, and to write them")]

use crate::columns::Strings;
use crate::reader::UnknownMember;
use crate::span::Span;

/// Appends a row: the unknown members of the envelope, and under `properties` those of the payload. At least one.
///
/// Not inlined: inside the loops of all tables it makes each of them slower.
#[inline(never)]
pub(super) fn push(chunk: &[u8], unknown: &[UnknownMember], column: &mut Strings) {
    let mut length = 0;
    pieces(chunk, unknown, |piece| length += piece.len());
    column.push_pieces(length, |out| pieces(chunk, unknown, |piece| out.write(piece)));
}

/// The pieces of the object, one after another.
#[inline(always)]
fn pieces<'a>(chunk: &'a [u8], unknown: &[UnknownMember], mut piece: impl FnMut(Span<'a>)) {
    piece(Span::from(&b"{"[..]));
    let has_envelope = members(chunk, unknown, false, &mut piece);
    if unknown.iter().any(|member| member.in_payload) {
        piece(Span::from(&b",\"properties\":{"[usize::from(!has_envelope)..]));
        members(chunk, unknown, true, &mut piece);
        piece(Span::from(&b"}"[..]));
    }
    piece(Span::from(&b"}"[..]));
}

/// The pieces of the members of the envelope or of the payload; returns whether there are any.
#[inline(always)]
fn members<'a>(
    chunk: &'a [u8],
    unknown: &[UnknownMember],
    in_payload: bool,
    piece: &mut impl FnMut(Span<'a>),
) -> bool {
    let mut has_any = false;
    for UnknownMember { key, value, .. } in unknown.iter().filter(|member| member.in_payload == in_payload) {
        if has_any {
            piece(Span::from(&b","[..]));
        }
        has_any = true;
        piece(Span::new(chunk, key.0, key.1));
        piece(Span::from(&b":"[..]));
        piece(Span::new(chunk, value.0, value.1));
    }
    has_any
}
