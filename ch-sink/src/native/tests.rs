//! Blocks byte by byte, computed by hand from the format's description.

use event_parser::columns::{Column as _, Fixed, Nullable};
use event_schema::registry::Scalar;

use super::pieces::PIECE_BYTES;
use super::*;

/// The block's bytes and how many pieces they came in.
fn encoded(block: &Block<'_>) -> (Vec<u8>, usize) {
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    let result = encode(block, &Buffers::default(), |piece| {
        assert!(!piece.is_empty() && piece.len() <= PIECE_BYTES, "a piece of {} bytes", piece.len());
        bytes.extend_from_slice(&piece);
        pieces += 1;
        true
    });
    assert_eq!(result, Ok(()));
    (bytes, pieces)
}

/// The values of one column, without the block's and the column's head.
fn values<'a>(rows: usize, order: Option<&'a [u32]>, ty: ColumnType, values: Values<'a>) -> Vec<u8> {
    let block = Block { rows, order, columns: vec![BlockColumn { name: "c", ty, values }] };
    let (bytes, _) = encoded(&block);
    let name = ty.to_string();
    let mut head = vec![1, rows as u8, 1, b'c', name.len() as u8];
    head.extend_from_slice(name.as_bytes());
    bytes.strip_prefix(head.as_slice()).expect("columns, rows, name and type come first").to_vec()
}

const STRING: ColumnType = ColumnType::Plain(Scalar::String);

#[test]
fn numbers_are_gathered_in_order() {
    let mut column = Fixed::<u32>::default();
    for value in [1, 0x0203, 0xffff_ffff] {
        column.push(value);
    }
    let ty = ColumnType::Plain(Scalar::UInt32);
    assert_eq!(
        values(3, None, ty, Values::Stored(column.view())),
        [1, 0, 0, 0, 3, 2, 0, 0, 255, 255, 255, 255]
    );
    assert_eq!(
        values(3, Some(&[2, 0, 1]), ty, Values::Stored(column.view())),
        [255, 255, 255, 255, 1, 0, 0, 0, 3, 2, 0, 0]
    );
}

#[test]
fn every_width_is_gathered() {
    fn reversed<T: bytemuck::Pod + Default>(one: T, two: T, ty: Scalar) -> Vec<u8> {
        let mut column = Fixed::<T>::default();
        column.push(one);
        column.push(two);
        values(2, Some(&[1, 0]), ColumnType::Plain(ty), Values::Stored(column.view()))
    }
    assert_eq!(reversed(1_u8, 2, Scalar::Bool), [2, 1]);
    assert_eq!(reversed(1_u16, 2, Scalar::Date), [2, 0, 1, 0]);
    assert_eq!(reversed(1_i64, -1, Scalar::DateTime), [[255; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat());
    assert_eq!(reversed(1_u128, 2, Scalar::Uuid), [2_u128.to_le_bytes(), 1_u128.to_le_bytes()].concat());
}

#[test]
fn nulls_come_before_the_values() {
    let mut column = Nullable::<u16>::default();
    for value in [Some(7), None, Some(8)] {
        column.push(value);
    }
    let ty = ColumnType::Nullable(Scalar::UInt16);
    let order = [1, 2, 0];
    assert_eq!(values(3, Some(&order), ty, Values::Stored(column.view())), [1, 0, 0, 0, 0, 8, 0, 7, 0]);
}

#[test]
fn strings_come_with_their_lengths() {
    let mut column = Strings::default();
    let long = [b'x'; 300];
    for value in [&b"ab"[..], b"", &long] {
        column.push(value);
    }
    let bytes = values(3, Some(&[2, 1, 0]), STRING, Values::Stored(column.view()));
    assert_eq!(bytes, [&[0xac, 0x02][..], &long, &[0, 2, b'a', b'b']].concat());
    let fetched = Values::Fetched(Box::new(|row| if row == 0 { b"ab" } else { &long[..row] }));
    assert_eq!(values(2, None, STRING, fetched), *b"\x02ab\x01x");
}

#[test]
fn constants_are_repeated() {
    let ty = ColumnType::Plain(Scalar::Date);
    assert_eq!(values(2, Some(&[1, 0]), ty, Values::Constant(&[9, 1])), [9, 1, 9, 1]);
}

#[test]
fn arrays_are_their_ends_and_all_items() {
    let mut items = Strings::default();
    for item in [&b"a"[..], b"b", b"c"] {
        items.push(item);
    }
    let arrays = Values::Arrays { ends: &[2, 2, 3], items: &items };
    let ends = [2_u64.to_le_bytes(), 2_u64.to_le_bytes(), 3_u64.to_le_bytes()].concat();
    assert_eq!(
        values(3, None, ColumnType::Array(Scalar::String), arrays),
        [ends.as_slice(), b"\x01a\x01b\x01c"].concat()
    );
}

#[test]
fn dictionaries_come_with_indices_as_narrow_as_may_be() {
    let ty = ColumnType::LowCardinality;
    let mut column = Dictionary::default();
    for value in [&b"ios"[..], b"", b"web", b"ios"] {
        column.push(value);
    }
    let bytes = values(4, Some(&[3, 2, 1, 0]), ty, Values::Stored(column.view()));
    let expected = [
        &1_u64.to_le_bytes()[..],
        &0x600_u64.to_le_bytes(),
        &3_u64.to_le_bytes(),
        b"\0\x03ios\x03web",
        &4_u64.to_le_bytes(),
        &[1, 2, 0, 1],
    ];
    assert_eq!(bytes, expected.concat());

    for (entries, flags, width) in [(0x100_u32, 0x600_u64, 1), (0x101, 0x601, 2), (0x1_0001, 0x602, 4)] {
        let mut column = Dictionary::default();
        for value in 1..entries {
            column.push(value.to_string().as_bytes());
        }
        assert_eq!(column.entries().rows() as u32, entries);
        let last = [entries - 2];
        let bytes = values(1, Some(&last), ty, Values::Stored(column.view()));
        assert_eq!(bytes[8..16], flags.to_le_bytes(), "{entries} entries");
        assert_eq!(bytes[bytes.len() - width..], (entries - 1).to_le_bytes()[..width], "{entries} entries");
        assert_eq!(bytes[bytes.len() - width - 8..bytes.len() - width], 1_u64.to_le_bytes());
    }
}

#[test]
fn a_column_of_no_rows_is_its_head_alone() {
    let column = Dictionary::default();
    assert!(values(0, None, ColumnType::LowCardinality, Values::Stored(column.view())).is_empty());
}

#[test]
fn a_long_block_comes_in_pieces_and_stops_when_told() {
    let mut column = Strings::default();
    // Strings longer than a piece, and many that straddle its end.
    column.push(&vec![b'l'; 2 * PIECE_BYTES + 5]);
    for row in 0..40_000 {
        column.push(format!("row {row} {}", "-".repeat(90)).as_bytes());
    }
    let rows = column.rows();
    let order: Vec<u32> = (0..rows as u32).rev().collect();
    let block = |order| Block {
        rows,
        order,
        columns: vec![BlockColumn { name: "c", ty: STRING, values: Values::Stored(column.view()) }],
    };
    let (as_they_stand, pieces) = encoded(&block(None));
    assert!(as_they_stand.ends_with(column.native()));
    assert!(pieces > 5, "{pieces} pieces");
    let (reversed, _) = encoded(&block(Some(&order)));
    let expected: Vec<u8> = (0..rows).rev().flat_map(|row| column.native_row(row)).copied().collect();
    assert!(reversed.ends_with(&expected) && reversed.len() == as_they_stand.len());

    let mut taken = 0;
    let result = encode(&block(None), &Buffers::default(), |_| {
        taken += 1;
        taken < 2
    });
    assert_eq!((result, taken), (Err(Stopped), 2));
}
