//! `fct_conversion`: how many users pay, and how soon, after their first activity or their first trial.

use crate::intermediate::{counted_purchases, users};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef};
use crate::pieces::is_reported;
use crate::sql::{Cte, Expr, JoinKind, Query, Relation, Select, SqlType, array, call, col, int, text};

/// From the first activity to the first paid purchase.
const ACTIVITY_TO_PAID: &str = "activity_to_paid";
/// From the first trial to the first paid purchase after it.
const TRIAL_TO_PAID: &str = "trial_to_paid";
/// Days that users are given to convert.
const HORIZONS: [i64; 8] = [0, 1, 3, 7, 14, 30, 60, 90];

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_conversion"),
        build: Build::Table,
        description:
            "Users who begin on a day, by their first activity or their first trial, and how many of them \
                      make a paid purchase within so many days. Every date on which someone begins has a row \
                      for each horizon."
                .to_owned(),
        grain: ["conversion", "cohort_date", "horizon_days"].map(Into::into).into(),
        sorted_by: ["conversion", "cohort_date", "horizon_days"].map(Into::into).into(),
        columns: columns(),
        checks: vec![Check {
            name: "converted_are_of_the_cohort",
            condition: col("converted_users").at_most(col("cohort_users")),
        }],
        ctes: vec![
            Cte::new("beginners", "The day each user begins.", beginners()),
            Cte::new("payments", "The days each user pays.", payments()),
            Cte::new(
                "converts",
                "Who pays, and how many days later. Who paid before the first activity has converted on day 0; \
                 what was paid before a trial is no conversion of it.",
                converts(),
            ),
            Cte::new("parts", "Cohorts and converts of each horizon.", parts()),
        ],
        rows: Select::from(Relation::cte("parts").alias("parts"))
            .group_by(["conversion", "cohort_date", "horizon_days"].map(of_part)),
    }
}

fn of_part(name: &'static str) -> Expr {
    col(name).of("parts")
}

fn columns() -> Vec<Column> {
    let conversions = [ACTIVITY_TO_PAID, TRIAL_TO_PAID].map(str::to_owned).into();
    let sum = |name: &'static str| call("sum", [of_part(name)]);
    vec![
        Column::key(
            "conversion",
            SqlType::LowCardinality,
            "What is converted: activity_to_paid, from the first active date; trial_to_paid, from the first \
             trial's date.",
            of_part("conversion").cast(SqlType::LowCardinality),
        )
        .tested(ColumnTest::OneOf(conversions)),
        Column::key(
            "cohort_date",
            SqlType::Date,
            "The day the users begin, in the reporting time zone.",
            of_part("cohort_date"),
        ),
        Column::key(
            "horizon_days",
            SqlType::UInt64,
            "How many days they have: 0 is the day they begin itself.",
            of_part("horizon_days"),
        )
        .unit(Some("days")),
        Column::count("cohort_users", "users", "Users who begin that day.", sum("cohort_users")),
        Column::count(
            "converted_users",
            "users",
            "Those whose first paid purchase is at most so many days later; for trials the first one on or after \
             the trial's date.",
            sum("converted_users"),
        ),
        Column::ratio(
            "conversion_rate",
            "converted_users ÷ cohort_users.",
            sum("converted_users"),
            sum("cohort_users"),
        )
        .tested(ColumnTest::Within(0, 1)),
        Column::attribute(
            "is_complete",
            SqlType::Bool,
            "Whether the last day of the horizon is over: it is `as_of_date` or before.",
            is_reported(of_part("cohort_date") + of_part("horizon_days")).cast(SqlType::Bool),
        ),
    ]
}

fn beginners() -> Query {
    let active = Select::from(users())
        .item(text(ACTIVITY_TO_PAID), "conversion")
        .columns(["user_id"])
        .item(col("first_active_date"), "cohort_date")
        .filter(is_reported(col("first_active_date")));
    let trying = Select::from(counted_purchases())
        .item(text(TRIAL_TO_PAID), "conversion")
        .columns(["user_id"])
        .item(call("min", [col("event_date")]), "cohort_date")
        .filter(col("is_trial"))
        .group_by([col("user_id")]);
    vec![active, trying].into()
}

fn payments() -> Query {
    Select::from(counted_purchases())
        .columns(["user_id", "event_date"])
        .filter(col("is_paid"))
        .distinct()
        .into()
}

fn converts() -> Query {
    let of_beginner = |name: &'static str| col(name).of("beginners");
    let paid_on = || col("event_date").of("payments");
    let days = call("greatest", [paid_on() - of_beginner("cohort_date"), int(0)]);
    let counts = of_beginner("conversion")
        .equals(text(ACTIVITY_TO_PAID))
        .or(paid_on().at_least(of_beginner("cohort_date")));
    Select::from(Relation::cte("beginners").alias("beginners"))
        .item(of_beginner("conversion"), "conversion")
        .item(of_beginner("user_id"), "user_id")
        .item(of_beginner("cohort_date"), "cohort_date")
        .item(call("min", [days]), "days_to_paid")
        .join(JoinKind::Inner, Relation::cte("payments").alias("payments"), {
            col("user_id").of("payments").equals(of_beginner("user_id"))
        })
        .filter(counts)
        .group_by(["conversion", "user_id", "cohort_date"].map(of_beginner))
        .into()
}

fn parts() -> Query {
    let horizons = || array(HORIZONS.map(|days| call("toUInt64", [int(days)])));
    let of_horizon = |from: &'static str| {
        Select::from(Relation::cte(from))
            .columns(["conversion", "cohort_date", "horizon_days"])
            .array_join(horizons(), "horizon_days")
            .group_by(["conversion", "cohort_date", "horizon_days"].map(col))
    };
    let nobody = || call("toUInt64", [int(0)]);
    let begun =
        of_horizon("beginners").item(call("count", []), "cohort_users").item(nobody(), "converted_users");
    let converted = of_horizon("converts")
        .item(nobody(), "cohort_users")
        .item(call("count", []), "converted_users")
        .filter(col("days_to_paid").at_most(col("horizon_days")));
    vec![begun, converted].into()
}
