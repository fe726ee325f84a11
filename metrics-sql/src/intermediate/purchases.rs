//! Purchases, trials and refunds: as they were told, by day; and those that count, each refund with the purchase it
//! names.

use event_schema::registry::PURCHASES;

use crate::model::{Build, Check, Column, Layer, Model, ModelRef, Role};
use crate::pieces::{is_paid_purchase, is_refund, is_reported, reporting_date};
use crate::sql::{
    Changed, Cte, Expr, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, call, case, col, int,
    is_in_cte, text, tuple,
};
use crate::staging::{self, IDENTITY};

/// What a purchase or refund says of itself, beside its identity.
const TOLD: [&str; 10] = [
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
const OF_THE_PURCHASE: [&str; 4] = ["user_id", "plan", "platform", "country"];
/// What is known of a purchase that refunds may name, in this order.
const KEPT_OF_THE_PURCHASE: [&str; 7] =
    ["user_id", "event_time", "event_id", "plan", "platform", "country", "currency"];

/// Purchases, trials and refunds, as they were told.
pub fn purchases() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_purchases")
}

/// Purchases, trials and refunds that count, each once.
pub fn counted_purchases() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_counted_purchases")
}

/// Both models.
pub(super) fn models() -> Vec<Model> {
    vec![build_purchases(), build_counted()]
}

/// A column of `stg_purchases` under that value.
pub(super) fn told(name: &'static str, value: Expr) -> Column {
    let columns = PURCHASES.columns();
    let told = columns.iter().find(|column| column.name == name).expect("a column of the table of purchases");
    let role = if IDENTITY.contains(&name) { Role::Key } else { Role::Attribute };
    Column { role, ..Column::attribute(told.name, SqlType::Raw(told.ty), told.doc, value) }.unit(told.unit)
}

/// The day of a purchase or refund.
pub(super) fn event_date(value: Expr) -> Column {
    Column::attribute("event_date", SqlType::Date, "The day, in the reporting time zone.", value)
}

fn build_purchases() -> Model {
    let as_told = |name| told(name, col(name));
    let mut columns: Vec<Column> = IDENTITY.map(as_told).into();
    columns.push(event_date(reporting_date(col("event_time"))));
    columns.extend(TOLD.into_iter().filter(|name| *name != "event_date").chain(["is_trial"]).map(as_told));
    Model {
        id: purchases(),
        build: Build::of_users_days([staging::events_of(&PURCHASES)], "event_date", false),
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

fn build_counted() -> Model {
    let grain = ["event_user_id", "event_time", "event_id"];
    Model {
        id: counted_purchases(),
        build: Build::Table,
        description: "Purchases, trials and refunds that count up to `as_of_date`, in their own currencies. A purchase \
                      that was told more than once counts once (`stg_repeated_purchases`). A refund names, of the \
                      paid purchases with its purchase_id, the latest that is not after it, else the earliest, and \
                      takes the user, plan, platform and country of that purchase; its own where no purchase has \
                      the id. Where the id has purchases but no paid one, the refund does not count, as their \
                      payments do not."
            .to_owned(),
        grain: grain.map(Into::into).into(),
        sorted_by: IDENTITY.map(Into::into).into(),
        columns: columns(),
        checks: vec![Check {
            name: "only_paid_purchases_are_first_or_refunded",
            condition: col("is_paid").or(!col("is_first_purchase").or(col("is_fully_refunded"))),
        }],
        ctes: vec![
            Cte::new("repeated", "Purchases that were told before.", {
                Select::from(staging::repeated_purchases()).columns(IDENTITY)
            }),
            Cte::new("reported", "What counts at all, but for refunds of trials.", reported()),
            Cte::new("refunded", "The ids that refunds name.", {
                Select::from(Relation::cte("reported")).columns(["purchase_id"]).filter(is_refund()).distinct()
            }),
            Cte::new("sold", "Those of them that a purchase or trial has.", {
                Select::from(Relation::cte("reported"))
                    .columns(["purchase_id"])
                    .filter(!is_refund())
                    .filter(is_in_cte([col("purchase_id")], "refunded", ["purchase_id"]))
                    .distinct()
            }),
            Cte::new(
                "named",
                "The paid purchase that refunds of an id name from a time on; from the beginning, the earliest.",
                named(),
            ),
            Cte::new("matched", "Each refund with that purchase, where there is one.", matched()),
            Cte::new("counted", "Purchases, and refunds that count.", counted()),
            Cte::new(
                "given_back",
                "What refunds gave back of a purchase in its own currency.",
                given_back(),
            ),
        ],
        rows: Select::from(Relation::cte("counted").alias("counted")).join(
            JoinKind::Left,
            Relation::cte("given_back").alias("given_back"),
            of_given_back("user_id")
                .equals(of_counted("event_user_id"))
                .and(of_given_back("event_time").equals(of_counted("event_time")))
                .and(of_given_back("event_id").equals(of_counted("event_id"))),
        ),
    }
}

fn of_counted(name: &'static str) -> Expr {
    col(name).of("counted")
}

fn of_given_back(name: &'static str) -> Expr {
    col(name).of("given_back")
}

fn columns() -> Vec<Column> {
    let mut columns = vec![Column::key(
        "event_user_id",
        SqlType::String,
        "The user of the event itself; of a refund it may be another than `user_id`, such as a support desk.",
        of_counted("event_user_id"),
    )];
    columns.extend(["event_time", "event_id"].map(|name| told(name, of_counted(name))));
    columns.push(Column::attribute(
        "user_id",
        SqlType::String,
        "Whose money it is: of a refund, the user of the purchase it names.",
        of_counted("user_id"),
    ));
    for name in TOLD {
        let value = of_counted(name);
        let low_cardinality = || value.clone().cast(SqlType::LowCardinality);
        columns.push(match name {
            "event_date" => event_date(value),
            "plan" => Column::attribute(
                name,
                SqlType::LowCardinality,
                "The plan bought; empty for a refund of an unknown purchase.",
                low_cardinality(),
            ),
            "platform" => Column::attribute(
                name,
                SqlType::LowCardinality,
                "Where the purchase was made; empty where unknown.",
                low_cardinality(),
            ),
            "country" => Column::attribute(
                name,
                SqlType::LowCardinality,
                "From which country the purchase was made; empty where unknown.",
                low_cardinality(),
            ),
            _ => told(name, value),
        });
    }
    columns.push(told("is_trial", of_counted("is_trial")));
    columns.extend([
        Column::attribute(
            "is_paid",
            SqlType::Bool,
            "Whether it is a paid purchase: no trial, and of more than nothing.",
            of_counted("is_paid").cast(SqlType::Bool),
        ),
        Column::attribute(
            "is_first_purchase",
            SqlType::Bool,
            "Whether it is the user's first paid purchase, by time, then by event_id as text.",
            of_counted("is_paid").and(place_among_the_users().equals(int(1))).cast(SqlType::Bool),
        ),
        Column::attribute(
            "is_fully_refunded",
            SqlType::Bool,
            "Whether the refunds that name the purchase have given back its whole amount in its own currency; those in \
             other currencies do not count.",
            is_fully_refunded().cast(SqlType::Bool),
        ),
    ]);
    columns
}

/// The number of the event among the paid purchases of its user, or among all else of the user.
fn place_among_the_users() -> Expr {
    call("row_number", []).over(WindowSpec {
        partition_by: vec![of_counted("user_id"), of_counted("is_paid")],
        order_by: vec![
            Order::by(of_counted("event_time")),
            Order::by(call("toString", [of_counted("event_id")])),
        ],
        frame: None,
    })
}

/// Whether it is a paid purchase whose refunds reach its amount.
fn is_fully_refunded() -> Expr {
    let is_reached = of_given_back("amount").at_least(of_counted("amount"));
    call("ifNull", [of_counted("is_paid").and(is_reached), int(0)])
}

fn reported() -> Query {
    Select::from(purchases())
        .columns(IDENTITY)
        .columns(TOLD)
        .columns(["is_trial"])
        .item(is_paid_purchase(), "is_paid")
        .filter(is_reported(col("event_date")))
        .filter(!is_in_cte(IDENTITY.map(col), "repeated", IDENTITY))
        .into()
}

fn named() -> Query {
    let order = || tuple([col("event_time"), call("toString", [col("event_id")]), col("user_id")]);
    let kept = || tuple(KEPT_OF_THE_PURCHASE.map(col));
    let paid = || {
        Select::from(Relation::cte("reported"))
            .columns(["purchase_id"])
            .filter(col("is_paid"))
            .filter(is_in_cte([col("purchase_id")], "refunded", ["purchase_id"]))
    };
    let beginning = call("toDateTime64", [text("1900-01-01 00:00:00"), int(3), text("UTC")]);
    let latest = paid()
        .item(col("event_time"), "named_from")
        .item(call("argMax", [kept(), order()]), "purchase")
        .group_by(["purchase_id", "event_time"].map(col));
    let earliest = paid()
        .item(beginning, "named_from")
        .item(call("argMin", [kept(), order()]), "purchase")
        .group_by([col("purchase_id")]);
    let both = Query::from(vec![latest, earliest]);
    let mut select = Select::from(both).columns(["purchase_id", "named_from"]);
    for (place, name) in (1..).zip(KEPT_OF_THE_PURCHASE) {
        select = select.item(col("purchase").element(place), format!("named_{name}"));
    }
    select.into()
}

fn matched() -> Query {
    let refund = |name: &'static str| col(name).of("refund");
    let of_named = |name: &str| col(name.to_owned()).of("named");
    let refunds = Select::from(Relation::cte("reported")).columns(IDENTITY).columns(TOLD).filter(is_refund());
    let mut select = Select::from(Query::from(refunds).alias("refund"));
    for name in IDENTITY.into_iter().chain(TOLD) {
        select = select.item(refund(name), name);
    }
    let is_matched = call("ifNull", [of_named("purchase_id").equals(refund("purchase_id")), int(0)]);
    for name in KEPT_OF_THE_PURCHASE {
        select = select.item(of_named(&format!("named_{name}")), format!("named_{name}"));
    }
    select
        .item(is_matched, "is_matched")
        .join(
            JoinKind::AsofLeft,
            Relation::cte("named").alias("named"),
            of_named("purchase_id")
                .equals(refund("purchase_id"))
                .and(of_named("named_from").at_most(refund("event_time"))),
        )
        .into()
}

fn counted() -> Query {
    let purchases = Select::from(Relation::cte("reported"))
        .item(col("user_id"), "event_user_id")
        .columns(IDENTITY)
        .columns(TOLD)
        .columns(["is_trial", "is_paid"])
        .filter(!is_refund());
    let mut refunds = Select::from(Relation::cte("matched").alias("matched"))
        .item(col("user_id").of("matched"), "event_user_id");
    for name in IDENTITY.into_iter().chain(TOLD) {
        let own = col(name).of("matched");
        let value = if OF_THE_PURCHASE.contains(&name) {
            let taken = call("assumeNotNull", [col(format!("named_{name}")).of("matched")]);
            case([(col("is_matched").of("matched"), taken)], own)
        } else {
            own
        };
        refunds = refunds.item(value, name);
    }
    let is_known = is_in_cte([col("purchase_id").of("matched")], "sold", ["purchase_id"]);
    let refunds = refunds
        .item(int(0).cast(SqlType::Bool), "is_trial")
        .item(int(0), "is_paid")
        .filter(col("is_matched").of("matched").or(!is_known));
    vec![purchases, refunds].into()
}

fn given_back() -> Query {
    let identity = ["user_id", "event_time", "event_id"];
    let mut select = Select::from(Relation::cte("matched"));
    for name in identity {
        select = select.item(call("assumeNotNull", [col(format!("named_{name}"))]), name);
    }
    select
        .item(call("sum", [col("amount")]), "amount")
        .filter(col("is_matched"))
        .filter(call("ifNull", [col("named_currency").equals(col("currency")), int(0)]))
        .group_by(["named_user_id", "named_event_time", "named_event_id"].map(col))
        .into()
}
