//! `stg_repeated_purchases`: purchases that a payment provider told more than once, under other event ids.

use event_schema::registry::PURCHASES;

use super::{IDENTITY, copied, events_of, repeated_purchases};
use crate::model::{Build, Column, Model, Role};
use crate::sql::{Cte, Expr, JoinKind, Query, Relation, Select, call, col, int, text, tuple};

/// What makes two rows of the kind `purchase` the same purchase, whatever their event ids and users.
const PURCHASE: [&str; 3] = ["purchase_id", "period_start", "period_end"];

fn of_row(name: &'static str) -> Expr {
    col(name).of("purchase")
}

fn of_counted(name: &'static str) -> Expr {
    col(name).of("counted")
}

pub(super) fn model() -> Model {
    let table = PURCHASES.columns();
    let columns = PURCHASE.into_iter().chain(["event_id", "user_id", "event_time", "batch_date"]);
    let mut columns: Vec<Column> = columns
        .map(|name| {
            let column = table.iter().find(|column| column.name == name).expect("a column of purchases");
            let role = if IDENTITY.contains(&name) { Role::Key } else { Role::Attribute };
            Column { role, value: of_row(name), ..copied(column) }
        })
        .collect();
    let event_id = columns.iter().find(|column| column.name.as_str() == "event_id").expect("it was pushed");
    columns.push(Column::attribute(
        "counted_event_id",
        event_id.ty.clone(),
        "The event of the same purchase that counts.",
        of_counted("counted_event_id"),
    ));
    let is_same = PURCHASE
        .map(|name| of_counted(name).equals(of_row(name)))
        .into_iter()
        .reduce(Expr::and)
        .expect("a purchase has columns");
    let is_another = tuple(IDENTITY.map(of_row))
        .differs(tuple(["counted_user_id", "counted_event_time", "counted_event_id"].map(of_counted)));
    Model {
        id: repeated_purchases(),
        build: Build::View,
        description: "Purchases that do not count: rows of the kind `purchase` with the same purchase_id, \
                      period_start and period_end are one purchase, told more than once under other event ids. \
                      The earliest counts, by time, then event_id as text, then user. A view: it compares all \
                      purchases when it is read."
            .to_owned(),
        grain: IDENTITY.map(Into::into).into(),
        sorted_by: IDENTITY.map(Into::into).into(),
        columns,
        checks: Vec::new(),
        ctes: vec![
            Cte::new("repeated", "Purchases that several events tell, with the earliest of these.", repeated()),
            Cte::new("counted", "The same, in columns.", counted()),
        ],
        rows: Select::from(Relation::from(events_of(&PURCHASES)).alias("purchase"))
            .join(JoinKind::Inner, Relation::cte("counted").alias("counted"), is_same)
            .filter(of_row("kind").equals(text("purchase")))
            .filter(is_another),
    }
}

fn repeated() -> Query {
    let order = tuple([col("event_time"), call("toString", [col("event_id")]), col("user_id")]);
    Select::from(events_of(&PURCHASES))
        .columns(PURCHASE)
        .item(call("argMin", [tuple(IDENTITY.map(col)), order]), "earliest")
        .filter(col("kind").equals(text("purchase")))
        .group_by(PURCHASE.map(col))
        .having(call("count", []).greater(int(1)))
        .into()
}

fn counted() -> Query {
    let mut select = Select::from(Relation::cte("repeated")).columns(PURCHASE);
    for (place, name) in (1..).zip(IDENTITY) {
        select = select.item(col("earliest").element(place), format!("counted_{name}"));
    }
    select.into()
}
