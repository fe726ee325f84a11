//! Staging: each table of `raw` with every event once, as the event contract lists its columns.

mod repeated;

use event_schema::registry::{self, ColumnType, ENTITIES, Entity};

use crate::model::{Build, Check, Column, Layer, Model, ModelRef, Role};
use crate::sql::{
    Changed, Cte, Expr, Ident, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, call, col, int,
    text, tuple,
};

/// What makes two rows of one table the same event.
pub(crate) const IDENTITY: [&str; 3] = ["user_id", "event_time", "event_id"];
/// Which of them stays: the first by these. The load's id only settles what would otherwise be a tie.
const ARRIVAL: [&str; 4] = ["batch_date", "source_file", "source_line", "load_id"];

/// The staging model of a table of events.
pub fn events_of(entity: &Entity) -> ModelRef {
    ModelRef::new(Layer::Staging, format!("stg_{}", entity.table))
}

/// The staging model of the commits.
pub fn loads() -> ModelRef {
    ModelRef::new(Layer::Staging, "stg_loads")
}

/// The view of purchases that are told again.
pub fn repeated_purchases() -> ModelRef {
    ModelRef::new(Layer::Staging, "stg_repeated_purchases")
}

/// Every staging model: the commits, one a table of events, the conflicts among them, and repeated purchases.
pub fn models() -> Vec<Model> {
    std::iter::once(stage_loads())
        .chain(ENTITIES.into_iter().map(stage))
        .chain([event_id_conflicts(), repeated::model()])
        .collect()
}

fn stage(entity: &Entity) -> Model {
    let keys: Vec<Ident> = IDENTITY.map(Ident::from).into();
    let columns = entity.columns();
    let columns = columns.iter().map(copied).collect();
    Model {
        id: events_of(entity),
        build: Build::FollowsLoads { source: entity.table.into() },
        description: format!(
            "{} One row an event: rows of raw.{} with the same user, time and id are one event, and the \
             earliest by batch date, source file and line stays, whichever day's file it came in.",
            entity.doc, entity.table
        ),
        grain: keys.clone(),
        sorted_by: keys,
        columns,
        checks: vec![Check { name: "user_id_is_given", condition: col("user_id").differs(text("")) }],
        ctes: Vec::new(),
        rows: Select::from(Relation::Source(entity.table.into()))
            .only_changed(Changed::Events)
            // In the order of the table, so that what is inserted need not be sorted again.
            .order_by(
                std::iter::once(call("toDate", [col("event_time")]))
                    .chain(IDENTITY.into_iter().chain(ARRIVAL).map(col))
                    .map(Order::by),
            )
            .limit_by(1, IDENTITY.map(col)),
    }
}

/// A column of `raw` as it stands there.
fn copied(column: &registry::Column) -> Column {
    let copy = Column::attribute(column.name, SqlType::Raw(column.ty), column.doc, col(column.name));
    let role = if IDENTITY.contains(&column.name) { Role::Key } else { Role::Attribute };
    Column { role, ..copy }.unit(column.unit)
}

/// Ids that more than one event bears.
fn event_id_conflicts() -> Model {
    let of_event = |name: &'static str| col(name).of("arrived");
    let ids: Vec<Select> =
        ENTITIES.into_iter().map(|entity| Select::from(events_of(entity)).columns(["event_id"])).collect();
    // Counting ids in staging is cheap; only the few that repeat are then looked up in all that arrived.
    let repeated = Select::from(Query::from(ids))
        .columns(["event_id"])
        .group_by([col("event_id")])
        .having(call("count", []).greater(int(1)));
    let arrived: Vec<Select> = ENTITIES
        .into_iter()
        .map(|entity| {
            Select::from(Relation::Source(entity.table.into()))
                .item(text(entity.table), "table_name")
                .columns(["event_id", "user_id", "event_time"])
        })
        .collect();
    let groups = Select::from(Relation::cte("arrived").alias("arrived"))
        .item(of_event("table_name"), "table_name")
        .item(of_event("event_id"), "event_id")
        .item(of_event("user_id"), "user_id")
        .item(of_event("event_time"), "event_time")
        .item(call("count", []), "arrived_rows")
        .join(JoinKind::Inner, Relation::cte("repeated").alias("repeated"), {
            of_event("event_id").equals(col("event_id").of("repeated"))
        })
        .group_by(["table_name", "event_id", "user_id", "event_time"].map(of_event));
    let counted = Select::from(Relation::cte("candidates"))
        .columns(["table_name", "event_id", "user_id", "event_time", "arrived_rows"])
        .item(
            call("uniqExact", [tuple([col("user_id"), col("event_time")])])
                .over(WindowSpec { partition_by: vec![col("event_id")], ..Default::default() }),
            "events_of_id",
        );
    let envelope = |name: &'static str, value: Expr| {
        let field = registry::ENVELOPE.iter().filter_map(registry::Field::as_column).find(|c| c.name == name);
        let field = field.expect("the envelope has the columns of an event's identity");
        Column::key(name, SqlType::Raw(field.ty), field.doc, value)
    };
    Model {
        id: ModelRef::new(Layer::Staging, "stg_event_id_conflicts"),
        // An id may come again on any day, and most are random: to find it takes all ids. So they are compared
        // when someone looks, not every night.
        build: Build::View,
        description: "Ids that are not unique: every combination of user and time that bears an id which \
                      another user or time bears too, in any table. Each is kept as an event of its own; a \
                      producer that sends such ids should be mended. A view: it compares all ids when it is \
                      read."
            .to_owned(),
        grain: ["event_id", "table_name", "user_id", "event_time"].map(Ident::from).into(),
        sorted_by: ["event_id", "table_name", "user_id", "event_time"].map(Ident::from).into(),
        columns: vec![
            envelope("event_id", col("event_id")),
            Column::key(
                "table_name",
                SqlType::LowCardinality,
                "The table of raw the event is in.",
                col("table_name").cast(SqlType::LowCardinality),
            ),
            envelope("user_id", col("user_id")),
            envelope("event_time", col("event_time")),
            Column::count(
                "arrived_rows",
                "rows",
                "Rows that arrived for this very event, repeated ones included.",
                col("arrived_rows"),
            ),
        ],
        checks: Vec::new(),
        ctes: vec![
            Cte::new("repeated", "Ids that staging has more than once.", repeated),
            Cte::new("arrived", "All rows, as they arrived.", arrived),
            Cte::new("candidates", "The events that bear a repeated id.", groups),
            Cte::new(
                "counted",
                "How many different events bear the id; one may stand in two tables.",
                counted,
            ),
        ],
        rows: Select::from(Relation::cte("counted")).filter(col("events_of_id").greater(int(1))),
    }
}

/// The commit that holds, for each day.
fn stage_loads() -> Model {
    let table = &registry::LOADS;
    // The list of sources is of no use to a mart, and dbt's contract cannot spell its type.
    let columns = table.columns.iter().filter(|column| column.ty != ColumnType::Sources).map(|column| {
        let role = if column.name == "batch_date" { Role::Key } else { Role::Attribute };
        Column { role, ..copied(column) }
    });
    Model {
        id: loads(),
        build: Build::Table,
        description: "The commit that holds for each day. A day that was taken back has no loads. The \
                      latest day with one says what the default of `as_of_date` is."
            .to_owned(),
        grain: vec!["batch_date".into()],
        sorted_by: vec!["batch_date".into()],
        columns: columns.collect(),
        checks: Vec::new(),
        ctes: Vec::new(),
        rows: Select::from(Relation::Source(table.table.into()))
            .order_by([
                Order::by(col("batch_date")),
                Order::latest(col("committed_at")),
                Order::latest(col("commit_id")),
            ])
            .limit_by(1, [col("batch_date")]),
    }
}
