//! What `event-parser` makes of a source, in the neutral form of the reference.

use event_parser::columns::View;
use event_parser::{Batch, Options, Parser, Table};
use event_schema::registry::{ColumnType, Scalar, TableId};
use event_schema::value::Date;

use crate::reference::{Outcome, Reject, Row, Value};

/// Columns that the reference leaves out: they are the load's, not the line's.
const OF_THE_LOAD: [&str; 2] = ["source_file", "source_line"];

/// A set of instructions that the parser can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(event_parser::Backend);

impl Backend {
    /// All that this processor has.
    pub fn all() -> Vec<Backend> {
        event_parser::Backend::available().into_iter().map(Backend).collect()
    }

    /// What the parser chooses by itself.
    pub fn chosen() -> Backend {
        Backend(event_parser::Backend::default())
    }

    /// Its name, for reports.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    fn parser(self, options: Options) -> Parser {
        Parser::new("reference", options.with_backend(self.0))
    }
}

/// Parses a source in pieces of the given lengths (repeated as long as bytes are left), in batches of at
/// most about `batch_bytes`, with every set of instructions that this processor has.
///
/// # Panics
/// Where two of them differ, or the parser stops taking bytes though its batch was just cleared.
pub fn parse(
    bytes: &[u8],
    options: &crate::reference::Options,
    pieces: &[usize],
    batch_bytes: usize,
) -> Outcome {
    let parse_with = |backend| {
        let mut outcome = Outcome::default();
        each_batch(bytes, options, pieces, batch_bytes, backend, |batch| collect(batch, &mut outcome));
        outcome.rows.sort_by_key(|row| row.line);
        outcome
    };
    let chosen = parse_with(Backend::chosen());
    for other in Backend::all().into_iter().filter(|other| *other != Backend::chosen()) {
        let theirs = parse_with(other);
        let source = String::from_utf8_lossy(bytes);
        assert!(
            chosen == theirs,
            "{} and {} differ on\n{source}\n{chosen:#?}\n{theirs:#?}",
            Backend::chosen().name(),
            other.name()
        );
    }
    chosen
}

/// Parses a source as [`parse`] does, with one set of instructions, and shows every batch.
///
/// # Panics
/// Where the parser stops taking bytes though its batch was just cleared.
pub fn each_batch(
    bytes: &[u8],
    options: &crate::reference::Options,
    pieces: &[usize],
    batch_bytes: usize,
    backend: Backend,
    mut see: impl FnMut(&Batch),
) {
    let (year, month, day) = options.batch_date;
    let batch_date = Date::new(year, month, day).expect("the options name a day");
    let parser_options =
        Options::new(batch_date).with_max_line_bytes(options.max_line_bytes).with_batch_bytes(batch_bytes);
    let mut parser = backend.parser(parser_options);
    let mut batch = Batch::default();
    let mut rest = bytes;
    for length in pieces.iter().cycle() {
        let (mut piece, after) = rest.split_at(rest.len().min(*length.max(&1)));
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            if !piece.is_empty() {
                assert!(!batch.is_empty(), "the parser takes nothing into an empty batch");
                see(&batch);
                batch.clear();
            }
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    parser.finish(&mut batch);
    see(&batch);
}

fn collect(batch: &Batch, outcome: &mut Outcome) {
    outcome.lines += batch.lines;
    outcome.blank_lines += batch.blank_lines;
    for table in tables(batch) {
        outcome.rows.extend((0..table.rows()).map(|row| table.row(row)));
    }
    outcome.rejects.extend(batch.rejects().iter().map(reject));
}

/// A rejected line in the reference's form.
pub(crate) fn reject(reject: &event_parser::Reject) -> Reject {
    Reject {
        line: reject.line,
        byte_offset: reject.byte_offset,
        reason: reject.first().reason.as_str(),
        field: reject.first().field.clone(),
        violations: reject.violations.iter().map(|one| (one.reason.as_str(), one.field.clone())).collect(),
        raw: reject.raw.clone(),
    }
}

/// A table's columns with their types, those of the load left out.
pub(crate) struct TypedTable<'a> {
    pub(crate) name: &'static str,
    lines: &'a [u64],
    columns: Vec<(&'static str, ColumnType, View<'a>)>,
}

/// The five tables of a batch.
pub(crate) fn tables(batch: &Batch) -> [TypedTable<'_>; TableId::COUNT] {
    batch.tables().map(typed)
}

fn typed(table: &dyn Table) -> TypedTable<'_> {
    let (name, entity) = (table.id().name(), table.id().entity());
    let lines = table.envelope().source_line.values();
    let registered = if lines.is_empty() { Vec::new() } else { entity.columns() };
    let type_of = |name| {
        let column = registered.iter().find(|column| column.name == name);
        column.unwrap_or_else(|| panic!("{}.{name} is not in the registry", entity.table)).ty
    };
    let views = table.envelope().columns().into_iter().chain(table.own_columns());
    let columns = views
        .filter(|(name, _)| !lines.is_empty() && !OF_THE_LOAD.contains(name))
        .map(|(name, view)| (name, type_of(name), view))
        .collect();
    TypedTable { name, lines, columns }
}

impl TypedTable<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The number of the line that a row came from.
    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// A row in the reference's form.
    pub(crate) fn row(&self, row: usize) -> Row {
        let columns = self.columns.iter().map(|(name, ty, view)| (*name, value(*ty, view, row))).collect();
        Row { table: self.name, line: self.lines[row], columns }
    }

    /// Whether a row is that of the reference: as `self.row(row) == *due`, without making one.
    pub(crate) fn is(&self, row: usize, due: &Row) -> bool {
        self.name == due.table
            && self.lines[row] == due.line
            && self.columns.len() == due.columns.len()
            && self
                .columns
                .iter()
                .zip(&due.columns)
                .all(|((name, ty, view), (due_name, due))| name == due_name && is(*ty, view, row, due))
    }
}

/// As `value(ty, view, row) == *due`, without a copy of a text.
fn is(ty: ColumnType, view: &View<'_>, row: usize, due: &Value) -> bool {
    match (ty, view, due) {
        (ColumnType::Plain(Scalar::String), View::Strings(strings), Value::Text(due)) => {
            strings.get(row) == due
        }
        (ColumnType::LowCardinality, View::Dictionary(dictionary), Value::Text(due)) => {
            dictionary.get(row) == due
        }
        (ColumnType::Plain(Scalar::Uuid), View::Fixed { bytes, width: 16 }, Value::Text(due)) => {
            uuid_text(uuid(&bytes[row * 16..][..16])) == due[..]
        }
        _ => value(ty, view, row) == *due,
    }
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
        (Scalar::Uuid, 16) => Value::text(uuid_text(uuid(bytes))),
        (Scalar::Bool, 1) => Value::Bool(integer == 1),
        (Scalar::Float64, 8) => Value::Float(f64::from_bits(integer.cast_unsigned())),
        (Scalar::Date | Scalar::UInt16, 2)
        | (Scalar::UInt32, 4)
        | (Scalar::DateTime | Scalar::Decimal | Scalar::UInt64, 8) => Value::Int(integer),
        _ => panic!("{scalar} does not take {width} bytes"),
    }
}

/// The Native layout has the upper half first, each half little-endian.
fn uuid(native: &[u8]) -> u128 {
    u128::from_le_bytes(native.try_into().expect("sixteen bytes")).rotate_left(64)
}

/// In lower case, with hyphens.
fn uuid_text(id: u128) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
    for (digit, place) in places.enumerate() {
        text[place] = b"0123456789abcdef"[(id >> (124 - 4 * digit)) as usize & 15];
    }
    text
}
