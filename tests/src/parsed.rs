//! What `event-parser` makes of a source, in the neutral form of the reference.

use event_parser::columns::View;
use event_parser::{Batch, NamedView, Options, Parser, Table};
use event_schema::registry::{ColumnType, Entity, Scalar};
use event_schema::value::Date;

use crate::reference::{Outcome, Reject, Row, Value};

/// Columns that the reference leaves out: they are the load's, not the line's.
const OF_THE_LOAD: [&str; 2] = ["source_file", "source_line"];

/// Parses a source in pieces of the given lengths (repeated as long as bytes are left), in batches of at
/// most about `batch_bytes`.
///
/// # Panics
/// Where the parser stops taking bytes though its batch was just cleared.
pub fn parse(
    bytes: &[u8],
    options: &crate::reference::Options,
    pieces: &[usize],
    batch_bytes: usize,
) -> Outcome {
    let (year, month, day) = options.batch_date;
    let batch_date = Date::new(year, month, day).expect("the options name a day");
    let parser_options =
        Options { max_line_bytes: options.max_line_bytes, batch_bytes, ..Options::new(batch_date) };
    let mut parser = Parser::new("reference", parser_options);
    let (mut batch, mut outcome) = (Batch::default(), Outcome::default());
    let mut rest = bytes;
    for length in pieces.iter().cycle() {
        let (mut piece, after) = rest.split_at(rest.len().min(*length.max(&1)));
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            if !piece.is_empty() {
                assert!(!batch.is_empty(), "the parser takes nothing into an empty batch");
                collect(&batch, &mut outcome);
                batch.clear();
            }
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    parser.finish(&mut batch);
    collect(&batch, &mut outcome);
    outcome.rows.sort_by_key(|row| row.line);
    outcome
}

fn collect(batch: &Batch, outcome: &mut Outcome) {
    outcome.lines += batch.lines;
    outcome.blank_lines += batch.blank_lines;
    collect_rows(&batch.events, outcome);
    collect_rows(&batch.purchases, outcome);
    collect_rows(&batch.task_results, outcome);
    collect_rows(&batch.sessions, outcome);
    collect_rows(&batch.ab_test_assignments, outcome);
    outcome.rejects.extend(batch.rejects().iter().map(|reject| Reject {
        line: reject.line,
        byte_offset: reject.byte_offset,
        reason: reject.first().reason.as_str(),
        field: reject.first().field.clone(),
        violations: reject.violations.iter().map(|one| (one.reason.as_str(), one.field.clone())).collect(),
        raw: reject.raw.clone(),
    }));
}

fn collect_rows<T: Table>(table: &T, outcome: &mut Outcome) {
    let views: Vec<NamedView<'_>> =
        table.envelope().columns().into_iter().chain(table.own_columns()).collect();
    for row in 0..table.rows() {
        let columns = views.iter().filter(|(name, _)| !OF_THE_LOAD.contains(name));
        outcome.rows.push(Row {
            table: T::ENTITY.table,
            line: table.envelope().source_line.values()[row],
            columns: columns
                .map(|(name, view)| (*name, value(column_type(T::ENTITY, name), view, row)))
                .collect(),
        });
    }
}

fn column_type(entity: &Entity, name: &str) -> ColumnType {
    let column = entity.columns().into_iter().find(|column| column.name == name);
    column.unwrap_or_else(|| panic!("{}.{name} is not in the registry", entity.table)).ty
}

/// One row's value, read from the wire layout by the registry's type.
fn value(ty: ColumnType, view: &View<'_>, row: usize) -> Value {
    match (ty, view) {
        (ColumnType::Plain(scalar), View::Fixed { bytes, width }) => fixed(scalar, bytes, *width, row),
        (ColumnType::Nullable(_), View::Nullable { nulls, .. }) if nulls[row] == 1 => Value::Null,
        (ColumnType::Nullable(scalar), View::Nullable { bytes, width, .. }) => {
            fixed(scalar, bytes, *width, row)
        }
        (ColumnType::Plain(Scalar::String), View::Strings(strings)) => Value::text(strings.get(row)),
        (ColumnType::LowCardinality, View::Dictionary(dictionary)) => Value::text(dictionary.get(row)),
        (ty, view) => panic!("the registry says {ty}, the parser has {view:?}"),
    }
}

fn fixed(scalar: Scalar, bytes: &[u8], width: usize, row: usize) -> Value {
    let bytes = &bytes[row * width..][..width];
    let mut wide = [0; 16];
    wide[..width].copy_from_slice(bytes);
    let integer = i64::from_le_bytes(wide[..8].try_into().expect("eight bytes"));
    match (scalar, width) {
        (Scalar::Uuid, 16) => Value::text(uuid_text(u128::from_le_bytes(wide).rotate_left(64))),
        (Scalar::Bool, 1) => Value::Bool(integer == 1),
        (Scalar::Float64, 8) => Value::Float(f64::from_bits(integer.cast_unsigned())),
        (Scalar::Date | Scalar::UInt16, 2)
        | (Scalar::UInt32, 4)
        | (Scalar::DateTime | Scalar::Decimal | Scalar::UInt64, 8) => Value::Int(integer),
        _ => panic!("{scalar} does not take {width} bytes"),
    }
}

fn uuid_text(id: u128) -> String {
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
