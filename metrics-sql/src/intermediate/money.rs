//! Money: paid purchases and refunds in the reporting currency.

use super::purchases::{counted_purchases, event_date, told};
use crate::model::{Build, Check, Column, Layer, Model, ModelRef};
use crate::pieces::is_refund;
use crate::sql::{
    Cte, Expr, JoinKind, Query, Relation, Select, SqlType, Var, call, case, col, int, text, var,
};

/// The seed with exchange rates: `from_currency`, `to_currency`, `valid_from`, `rate`.
pub const EXCHANGE_RATES: &str = "exchange_rates";

/// What makes a row one.
const GRAIN: [&str; 3] = ["event_user_id", "event_time", "event_id"];
/// What is taken over from the purchases and refunds that count.
const KEPT: [&str; 13] = [
    "event_user_id",
    "event_time",
    "event_id",
    "user_id",
    "event_date",
    "kind",
    "purchase_id",
    "plan",
    "platform",
    "country",
    "amount",
    "currency",
    "is_first_purchase",
];

/// Paid purchases and refunds, in the reporting currency.
pub fn money() -> ModelRef {
    ModelRef::new(Layer::Intermediate, "int_money")
}

/// The intermediate model of money.
pub(super) fn model() -> Model {
    Model {
        id: money(),
        build: Build::GuardedTable { guard: "refuse_missing_exchange_rates" },
        description: "Money that moved up to `as_of_date`: a row for each paid purchase and each refund that counts, in \
                      the reporting currency at the rate of its own day."
            .to_owned(),
        grain: GRAIN.map(Into::into).into(),
        sorted_by: ["user_id", "event_time", "event_id"].map(Into::into).into(),
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
                name: "refunds_are_no_first_purchases",
                condition: (!is_refund()).or(!col("is_first_purchase")),
            },
        ],
        ctes: vec![
            Cte::new("moved", "Trials, and purchases of nothing, move no money.", {
                Select::from(counted_purchases()).columns(KEPT).filter(col("is_paid").or(is_refund()))
            }),
            Cte::new("rates", "Rates are direct, never inverted or chained.", {
                Select::from(Relation::Seed(EXCHANGE_RATES.into()))
                    .columns(["from_currency", "valid_from", "rate"])
                    .filter(col("to_currency").equals(var(Var::ReportingCurrency)))
            }),
            Cte::new(
                "priced",
                "The rate of the day. Where there is none stands a text that is no number: the server refuses it \
                 and shows it.",
                priced(),
            ),
        ],
        rows: Select::from(Relation::cte("priced")),
    }
}

fn columns() -> Vec<Column> {
    let in_reporting_currency = exact(col("amount"), 4) * exact(col("rate"), 12);
    let text_column = |name, doc| Column::attribute(name, SqlType::LowCardinality, doc, col(name));
    vec![
        Column::key("event_user_id", SqlType::String, "The user of the event itself.", col("event_user_id")),
        told("event_time", col("event_time")),
        told("event_id", col("event_id")),
        Column::attribute(
            "user_id",
            SqlType::String,
            "Whose money it is: of a refund, the user of the purchase it names.",
            col("user_id"),
        ),
        event_date(col("event_date")),
        told("kind", col("kind")),
        told("purchase_id", col("purchase_id")),
        text_column("plan", "The plan bought; empty for a refund of an unknown purchase."),
        text_column("platform", "Where the purchase was made; empty where unknown."),
        text_column("country", "From which country the purchase was made; empty where unknown."),
        told("amount", col("amount")),
        told("currency", col("currency")),
        Column::money(
            "net_revenue",
            "The money, in the reporting currency: above zero for a purchase, at most zero for a refund.",
            in_reporting_currency * case([(is_refund(), int(-1))], int(1)),
        ),
        Column::attribute(
            "is_first_purchase",
            SqlType::Bool,
            "Whether it is the user's first paid purchase, by time, then by event_id as text.",
            col("is_first_purchase"),
        ),
    ]
}

/// A decimal with that many places, and digits enough for any sum or product.
fn exact(value: Expr, places: i64) -> Expr {
    call("toDecimal128", [value, int(places)])
}

fn priced() -> Query {
    let of_moved = |name: &'static str| col(name).of("moved");
    let of_rate = |name: &'static str| col(name).of("rates");
    let is_reporting_currency = of_moved("currency").equals(var(Var::ReportingCurrency));
    let is_found = of_rate("from_currency").equals(of_moved("currency"));
    let missing = call(
        "concat",
        [
            text("no exchange rate from "),
            of_moved("currency"),
            text(" to "),
            var(Var::ReportingCurrency),
            text(" on "),
            call("toString", [of_moved("event_date")]),
            text(", for the event "),
            call("toString", [of_moved("event_id")]),
        ],
    );
    let rate = case(
        [(is_reporting_currency, text("1")), (is_found.clone(), call("toString", [of_rate("rate")]))],
        missing,
    );
    KEPT.into_iter()
        .fold(Select::from(Relation::cte("moved").alias("moved")), |select, name| {
            select.item(of_moved(name), name)
        })
        .item(rate, "rate")
        .join(
            JoinKind::AsofLeft,
            Relation::cte("rates").alias("rates"),
            is_found.and(of_rate("valid_from").at_most(of_moved("event_date"))),
        )
        .into()
}
