//! Who was assigned: variants, their controls and comparisons, users left out, and whether the shares are right.

use super::null;
use crate::intermediate::experiments::{BEFORE, assignments, first_assignments, measures};
use crate::pieces::is_reported;
use crate::sql::{
    Expr, JoinKind, Query, Relation, Select, SqlType, Var, WindowSpec, call, case, col, int, lambda, text,
    var,
};

pub(super) fn seen() -> Query {
    Select::from(assignments())
        .columns(["experiment_id", "variant"])
        .filter(is_reported(col("activity_date")))
        .distinct()
        .into()
}

pub(super) fn controls() -> Query {
    let named = || var(Var::AbControlVariants);
    let id = || call("toString", [col("experiment_id")]);
    let variants = || call("groupUniqArray", [call("toString", [col("variant")])]);
    let control = case(
        [
            (call("mapContains", [named(), id()]), call("arrayElement", [named(), id()])),
            (call("has", [variants(), text("control")]), text("control")),
        ],
        call("arrayElement", [call("arraySort", [variants()]), int(1)]),
    );
    Select::from(Relation::cte("seen"))
        .columns(["experiment_id"])
        .item(control, "control_variant")
        .group_by([col("experiment_id")])
        .into()
}

pub(super) fn comparisons() -> Query {
    let seen = |name: &'static str| col(name).of("seen");
    let control = || col("control_variant").of("controls");
    Select::from(Relation::cte("seen").alias("seen"))
        .item(seen("experiment_id"), "experiment_id")
        .item(seen("variant"), "variant")
        .item(control(), "control_variant")
        .join(
            JoinKind::Inner,
            Relation::cte("controls").alias("controls"),
            col("experiment_id").of("controls").equals(seen("experiment_id")),
        )
        .filter(seen("variant").differs(control()))
        .into()
}

pub(super) fn excluded() -> Query {
    Select::from(first_assignments())
        .columns(["experiment_id"])
        .item(call("countIf", [col("variants_seen").greater(int(1))]), "users")
        .group_by([col("experiment_id")])
        .into()
}

pub(super) fn totals() -> Query {
    let mut select =
        Select::from(measures()).columns(["experiment_id", "variant"]).item(call("count", []), "users");
    for column in ["attempts", "solved"] {
        for name in [column.to_owned(), format!("{BEFORE}{column}")] {
            select =
                select.item(call("toInt128", [call("sum", [col(name.clone())])]), format!("total_{name}"));
        }
    }
    select.group_by(["experiment_id", "variant"].map(col)).into()
}

pub(super) fn observed() -> Query {
    let seen = |name: &'static str| col(name).of("seen");
    let shares = || var(Var::AbExpectedShares);
    let id = || call("toString", [seen("experiment_id")]);
    let given =
        call("arrayElement", [call("arrayElement", [shares(), id()]), call("toString", [seen("variant")])]);
    let share = case([(call("mapContains", [shares(), id()]), given)], call("toFloat64", [int(1)]));
    let over = || WindowSpec { partition_by: vec![col("experiment_id")], ..WindowSpec::default() };
    let variants = Select::from(Relation::cte("seen").alias("seen"))
        .item(seen("experiment_id"), "experiment_id")
        .item(call("ifNull", [col("users").of("totals"), int(0)]), "users")
        .item(share, "share")
        .join(JoinKind::Left, Relation::cte("totals").alias("totals"), {
            let same = |name: &'static str| col(name).of("totals").equals(seen(name));
            same("experiment_id").and(same("variant"))
        });
    let all_shares = sum_of_sorted(call("groupArray", [col("share")]).over(over()));
    let expected = call("sum", [col("users")]).over(over()) * col("share") / all_shares;
    Select::from(Query::from(variants))
        .columns(["experiment_id", "users"])
        .item(expected, "expected_users")
        .into()
}

/// The sum of an array of floats, the same whatever their order.
pub(super) fn sum_of_sorted(floats: Expr) -> Expr {
    call("arraySum", [call("arraySort", [floats])])
}

pub(super) fn mismatch() -> Query {
    let (users, expected) = (|| col("users"), || col("expected_users"));
    let off = || users() - expected();
    // Nobody was expected and nobody came.
    let nobody = expected().equals(int(0)).and(users().equals(int(0)));
    let any = call("sum", [users()]).greater(int(0));
    // Floats are added in the order of their size: that of the variants may differ from build to build.
    let statistic = sum_of_sorted(call(
        "groupArray",
        [case([(nobody, call("toFloat64", [int(0)]))], off() * off() / expected())],
    ));
    Select::from(Relation::cte("observed"))
        .columns(["experiment_id"])
        .item(case([(any, statistic)], call("toFloat64", [text("nan")])), "statistic")
        // A variant that was to have nobody is no part of the test.
        .item(call("toInt64", [call("countIf", [expected().greater(int(0))])]) - int(1), "degrees_of_freedom")
        .group_by([col("experiment_id")])
        .into()
}

/// The chance of a chi-squared statistic at least as large, in finite sums for whole degrees of freedom:
/// Abramowitz and Stegun, 26.4.4 (odd) and 26.4.5 (even). With z half of the statistic and h a half for odd ones,
/// the terms are z^(j+h) e^-z ÷ Γ(j+h+1). `NULL` without degrees of freedom or without users.
pub(super) fn survival(statistic: &Expr, degrees: &Expr) -> Expr {
    let z = || statistic.clone() / int(2);
    let odd = || call("modulo", [degrees.clone(), int(2)]);
    let half = || odd() / int(2);
    let term = lambda("j", |j| {
        let power = || j.clone() + half();
        call("exp", [power() * call("log", [z()]) - z() - call("lgamma", [power() + int(1)])])
    });
    let terms = call("range", [call("toUInt64", [call("intDiv", [degrees.clone(), int(2)])])]);
    let tail = case([(odd().equals(int(1)), call("erfc", [call("sqrt", [z()])]))], int(0));
    let whole = call("arraySum", [term, terms]) + tail;
    case(
        [
            (degrees.clone().less(int(1)).or(call("isNaN", [statistic.clone()])), null()),
            (statistic.clone().equals(int(0)), int(1)),
            (call("isInfinite", [statistic.clone()]), int(0)),
        ],
        call("least", [whole, int(1)]),
    )
    .cast(SqlType::Float64.nullable())
}
