//! Money: purchases, trials and refunds with their dates; and what counts as revenue, converted and matched.

use event_schema::registry::PURCHASES;

use crate::model::{Build, Check, Column, Layer, Model, ModelRef, Role};
use crate::pieces::{is_paid_purchase, is_refund, is_reported, reporting_date};
use crate::sql::{
    Changed, Cte, Expr, JoinKind, Order, Query, Relation, Select, SqlType, Var, WindowSpec, call, case, col,
    int, text, tuple, var,
};
use crate::staging;

/// The seed with the rates to the reporting currency: `currency`, `valid_from`, `rate`.
pub const EXCHANGE_RATES: &str = "exchange_rates";

/// What makes a purchase or a refund one.
const IDENTITY: [&str; 3] = ["user_id", "event_time", "event_id"];
/// What [`money`] says of an event.
const KEPT: [&str; 13] = [
    "user_id",
    "event_time",
    "event_id",
    "event_date",
    "kind",
    "purchase_id",
    "plan",
    "platform",
    "country",
    "amount",
    "currency",
    "period_start",
    "period_end",
];
/// What a refund takes from the purchase it names.
const OF_THE_PURCHASE: [&str; 3] = ["plan", "platform", "country"];

/// Purchases, trials and refunds, as they were told.
pub fn purchases() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_purchases")
}

/// Paid purchases and refunds, in the reporting currency.
pub fn money() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_money")
}

/// The intermediate models of money.
pub(super) fn models() -> Vec<Model> {
    vec![build_purchases(), build_money()]
}

/// A column of `stg_purchases` as it stands there.
fn told(name: &'static str, value: Expr) -> Column {
    let columns = PURCHASES.columns();
    let told = columns.iter().find(|column| column.name == name).expect("a column of the table of purchases");
    let role = if IDENTITY.contains(&name) { Role::Key } else { Role::Attribute };
    Column { role, ..Column::attribute(told.name, SqlType::Raw(told.ty), told.doc, value) }.unit(told.unit)
}

fn event_date(value: Expr) -> Column {
    Column::attribute("event_date", SqlType::Date, "The day, in the reporting time zone.", value)
}

fn build_purchases() -> Model {
    let as_told = |name| told(name, col(name));
    let mut columns: Vec<Column> = IDENTITY.map(as_told).into();
    columns.push(event_date(reporting_date(col("event_time"))));
    columns.extend(
        ["kind", "purchase_id", "plan", "platform", "country", "amount", "currency"]
            .into_iter()
            .chain(["period_start", "period_end", "is_trial"])
            .map(as_told),
    );
    Model {
        id: purchases(),
        build: Build::FollowsChanges {
            follows: vec![staging::events_of(&PURCHASES)],
            changed_by: ["event_date", "user_id"].map(Into::into).into(),
            is_followed: false,
        },
        description:
            "Every purchase, trial and refund, with its day. Days after `as_of_date` are included, so \
                      that the table does not depend on it; readers leave them out."
                .to_owned(),
        grain: IDENTITY.map(Into::into).into(),
        sorted_by: IDENTITY.map(Into::into).into(),
        columns,
        checks: Vec::new(),
        ctes: Vec::new(),
        rows: Select::from(staging::events_of(&PURCHASES)).only_changed(Changed::Events),
    }
}

fn build_money() -> Model {
    Model {
        id: money(),
        build: Build::Table,
        description: "Money that moved up to `as_of_date`: a row for each paid purchase and each refund, in the \
                      reporting currency at the rate of its own day. A refund has the plan, platform and \
                      country of the purchase it names, its own where there is no such purchase. It names by \
                      `purchase_id`: trials and free purchases too, and where several bear the id the earliest, by \
                      time, then event_id as text, then user."
            .to_owned(),
        grain: IDENTITY.map(Into::into).into(),
        sorted_by: IDENTITY.map(Into::into).into(),
        columns: columns(),
        checks: vec![
            Check {
                name: "purchases_bring_money",
                condition: is_refund().or(col("net_revenue").greater(int(0))),
            },
            Check {
                name: "refunds_bring_none",
                condition: (!is_refund()).or(col("net_revenue").at_most(int(0))),
            },
            Check {
                name: "only_purchases_are_first_or_given_back",
                condition: (!is_refund()).or(!col("is_first_purchase").or(col("is_fully_refunded"))),
            },
        ],
        ctes: vec![
            Cte::new("reported", "What counts at all.", reported()),
            Cte::new("refunded", "The purchases that refunds name.", {
                Select::from(Relation::cte("reported"))
                    .columns(["purchase_id"])
                    .filter(is_refund())
                    .distinct()
            }),
            Cte::new(
                "matched",
                "The earliest purchase of each such id, and the sums given back by currency.",
                matched(),
            ),
            Cte::new("originals", "The same, in columns.", originals()),
            Cte::new("moved", "Trials, and purchases of nothing, move no money.", {
                Select::from(Relation::cte("reported"))
                    .columns(KEPT)
                    .item(is_refund(), "is_refund")
                    .filter(is_paid_purchase().or(is_refund()))
            }),
            Cte::new(
                "priced",
                "The rate of the day. Where there is none stands a text that is no number: the server refuses it \
                 and shows it.",
                priced(),
            ),
        ],
        rows: rows(),
    }
}

fn of_event(name: &'static str) -> Expr {
    col(name).of("priced")
}

fn of_original(name: &'static str) -> Expr {
    col(name).of("originals")
}

fn columns() -> Vec<Column> {
    let mut columns: Vec<Column> = IDENTITY.map(|name| told(name, of_event(name))).into();
    columns.push(event_date(of_event("event_date")));
    columns.extend(["kind", "purchase_id"].map(|name| told(name, of_event(name))));
    columns.extend(OF_THE_PURCHASE.map(|name| {
        let taken = of_event("is_refund").and(of_original("purchase_id").equals(of_event("purchase_id")));
        let value = case([(taken, of_original(name))], of_event(name)).cast(SqlType::LowCardinality);
        let doc = match name {
            "plan" => "The plan bought; empty for a refund of an unknown purchase.",
            "platform" => "Where the purchase was made; empty where unknown.",
            _ => "From which country the purchase was made; empty where unknown.",
        };
        Column::attribute(name, SqlType::LowCardinality, doc, value)
    }));
    columns.extend(["amount", "currency"].map(|name| told(name, of_event(name))));
    let in_reporting_currency = exact(of_event("amount"), 4) * exact(of_event("rate"), 6);
    columns.extend([
        Column::money(
            "net_revenue",
            "The money, in the reporting currency: above zero for a purchase, at most zero for a refund.",
            in_reporting_currency * case([(of_event("is_refund"), int(-1))], int(1)),
        ),
        Column::attribute(
            "is_first_purchase",
            SqlType::Bool,
            "Whether it is the user's first paid purchase, by time, then by event_id as text.",
            (!of_event("is_refund")).and(place_among_the_users().equals(int(1))).cast(SqlType::Bool),
        ),
        Column::attribute(
            "is_fully_refunded",
            SqlType::Bool,
            "Whether the refunds that name the purchase have given back its whole amount in its own currency; those in \
             other currencies do not count.",
            is_given_back().cast(SqlType::Bool),
        ),
    ]);
    columns.extend(["period_start", "period_end"].map(|name| told(name, of_event(name))));
    columns
}

/// A decimal with that many places, and digits enough for any sum or product.
fn exact(value: Expr, places: i64) -> Expr {
    call("toDecimal128", [value, int(places)])
}

/// The number of the event among the user's purchases, or among the user's refunds.
fn place_among_the_users() -> Expr {
    call("row_number", []).over(WindowSpec {
        partition_by: vec![of_event("user_id"), of_event("is_refund")],
        order_by: vec![
            Order::by(of_event("event_time")),
            Order::by(call("toString", [of_event("event_id")])),
        ],
        frame: None,
    })
}

/// Whether it is the purchase that refunds of its id name, and they reach its amount.
fn is_given_back() -> Expr {
    let is_original = tuple(IDENTITY.map(of_original)).equals(tuple(IDENTITY.map(of_event)));
    let is_reached = of_original("refunded_amount").at_least(of_event("amount"));
    call("ifNull", [(!of_event("is_refund")).and(is_original).and(is_reached), int(0)])
}

fn priced() -> Query {
    let of_moved = |name: &'static str| col(name).of("moved");
    let of_rate = |name: &'static str| col(name).of("rates");
    let is_reporting_currency = of_moved("currency").equals(var(Var::ReportingCurrency));
    let is_found = of_rate("currency").equals(of_moved("currency"));
    let missing = call(
        "concat",
        [
            text("no exchange rate from "),
            of_moved("currency"),
            text(" to "),
            var(Var::ReportingCurrency),
            text(" on "),
            call("toString", [of_moved("event_date")]),
            text(": add a row to the seed exchange_rates"),
        ],
    );
    let rate = case(
        [(is_reporting_currency, text("1")), (is_found.clone(), call("toString", [of_rate("rate")]))],
        missing,
    );
    KEPT.into_iter()
        .chain(["is_refund"])
        .fold(Select::from(Relation::cte("moved").alias("moved")), |select, name| {
            select.item(of_moved(name), name)
        })
        .item(rate, "rate")
        .join(
            JoinKind::AsofLeft,
            Relation::Seed(EXCHANGE_RATES.into()).alias("rates"),
            is_found.and(of_rate("valid_from").at_most(of_moved("event_date"))),
        )
        .into()
}

fn reported() -> Query {
    Select::from(purchases())
        .columns(KEPT)
        .columns(["is_trial"])
        .filter(is_reported(col("event_date")))
        .into()
}

/// What is kept of the earliest purchase of an id, in this order.
fn kept_of_the_original() -> impl Iterator<Item = &'static str> {
    IDENTITY.into_iter().chain(OF_THE_PURCHASE).chain(["currency"])
}

fn matched() -> Query {
    let told = |name: &'static str| col(name).of("told");
    let is_purchase = || told("kind").equals(text("purchase"));
    let earliest = tuple([
        told("event_time"),
        call("toString", [told("event_id")]),
        // Two users may bear the same id at the same time.
        told("user_id"),
    ]);
    let original = call("argMinIf", [tuple(kept_of_the_original().map(told)), earliest, is_purchase()]);
    let given_back = call("map", [told("currency"), call("toDecimal128", [told("amount"), int(4)])]);
    Select::from(Relation::cte("reported").alias("told"))
        .item(told("purchase_id"), "purchase_id")
        .item(original, "original")
        .item(call("sumMapIf", [given_back, !is_purchase()]), "given_back")
        .join(JoinKind::Inner, Relation::cte("refunded").alias("refunded"), {
            col("purchase_id").of("refunded").equals(told("purchase_id"))
        })
        .group_by([told("purchase_id")])
        .having(call("countIf", [is_purchase()]).greater(int(0)))
        .into()
}

fn originals() -> Query {
    let mut select = Select::from(Relation::cte("matched")).columns(["purchase_id"]);
    for (place, name) in (1..).zip(kept_of_the_original()) {
        if name != "currency" {
            select = select.item(col("original").element(place), name);
        }
    }
    let own_currency = col("original").element(kept_of_the_original().count() as i64);
    select.item(call("arrayElement", [col("given_back"), own_currency]), "refunded_amount").into()
}

fn rows() -> Select {
    Select::from(Relation::cte("priced").alias("priced")).join(
        JoinKind::Left,
        Relation::cte("originals").alias("originals"),
        of_original("purchase_id").equals(of_event("purchase_id")),
    )
}
