//! Who was assigned: variants, their controls and comparisons, users left out, and whether the shares are right.

use super::null;
use crate::intermediate::experiments::{
    BEFORE, IS_D7_OVER, IS_WINDOW_OVER, assignments, first_assignments, measures,
};
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

/// The variants of each experiment that were seen, and the one that the others are compared with.
pub(super) fn controls() -> Query {
    let named = || var(Var::AbControlVariants);
    let id = || call("toString", [col("experiment_id")]);
    let variants = Select::from(Relation::cte("seen"))
        .columns(["experiment_id"])
        .item(call("arraySort", [call("groupUniqArray", [call("toString", [col("variant")])])]), "variants")
        .group_by([col("experiment_id")]);
    let is_control = || lambda("name", |name| call("lower", [name]).equals(text("control")));
    let control = case(
        [
            (call("mapContains", [named(), id()]), call("arrayElement", [named(), id()])),
            (call("has", [col("variants"), text("control")]), text("control")),
            (
                call("arrayExists", [is_control(), col("variants")]),
                call("arrayFirst", [is_control(), col("variants")]),
            ),
        ],
        call("arrayElement", [col("variants"), int(1)]),
    );
    Select::from(Query::from(variants))
        .columns(["experiment_id", "variants"])
        .item(control, "control_variant")
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

/// Users who saw one variant only, analysed or not yet.
pub(super) fn assigned() -> Query {
    Select::from(first_assignments())
        .columns(["experiment_id"])
        .item(call("toString", [col("first_variant")]), "variant")
        .item(call("count", []), "users")
        .filter(col("variants_seen").equals(int(1)))
        .group_by(["experiment_id", "first_variant"].map(col))
        .into()
}

pub(super) fn totals() -> Query {
    let analysed = |flag: &'static str| call("countIf", [col(flag)]);
    let mut select = Select::from(measures())
        .columns(["experiment_id", "variant"])
        .item(analysed(IS_WINDOW_OVER), "users")
        .item(analysed(IS_D7_OVER), "d7_users");
    for column in ["attempts", "solved"] {
        for name in [column.to_owned(), format!("{BEFORE}{column}")] {
            let total = call("sumIf", [col(name.clone()), col(IS_WINDOW_OVER)]);
            select = select.item(call("toInt128", [total]), format!("total_{name}"));
        }
    }
    select.group_by(["experiment_id", "variant"].map(col)).into()
}

/// The users that each variant has and was to have: of every variant seen, or of those that shares are given for.
pub(super) fn observed() -> Query {
    let shares = || var(Var::AbExpectedShares);
    let id = || call("toString", [col("experiment_id")]);
    let own_shares = || call("arrayElement", [shares(), id()]);
    let are_given = || call("mapContains", [shares(), id()]);
    let variants = Select::from(Relation::cte("controls"))
        .columns(["experiment_id"])
        .item(col("expected_variant"), "variant")
        .item(
            case(
                [(are_given(), call("arrayElement", [own_shares(), col("expected_variant")]))],
                call("toFloat64", [int(1)]),
            ),
            "share",
        )
        .array_join(
            case([(are_given(), call("mapKeys", [own_shares()]))], col("variants")),
            "expected_variant",
        );
    let of_variant = |name: &'static str| col(name).of("expected");
    let of_assigned = |name: &'static str| col(name).of("assigned");
    let users = Select::from(Query::from(variants).alias("expected"))
        .item(of_variant("experiment_id"), "experiment_id")
        .item(of_variant("share"), "share")
        .item(call("ifNull", [of_assigned("users"), int(0)]), "users")
        .join(JoinKind::Left, Relation::cte("assigned").alias("assigned"), {
            let same = |name: &'static str| of_assigned(name).equals(of_variant(name));
            same("experiment_id").and(same("variant"))
        });
    let over = || WindowSpec { partition_by: vec![col("experiment_id")], ..WindowSpec::default() };
    let all_shares = sum_of_sorted(call("groupArray", [col("share")]).over(over()));
    let expected = call("sum", [col("users")]).over(over()) * col("share") / all_shares;
    Select::from(Query::from(users))
        .columns(["experiment_id", "users"])
        .item(expected, "expected_users")
        .into()
}

/// The sum of an array of floats, the same whatever their order.
fn sum_of_sorted(floats: Expr) -> Expr {
    call("arraySum", [call("arraySort", [floats])])
}

pub(super) fn mismatch() -> Query {
    let (users, expected) = (|| col("users"), || col("expected_users"));
    let off = || users() - expected();
    let any = call("sum", [users()]).greater(int(0));
    // Floats are added in the order of their size: that of the variants may differ from build to build.
    let statistic = sum_of_sorted(call("groupArray", [off() * off() / expected()]));
    let tested = Select::from(Relation::cte("observed"))
        .columns(["experiment_id"])
        .item(case([(any, statistic)], call("toFloat64", [text("nan")])), "statistic")
        .item(call("toInt64", [call("count", [])]) - int(1), "degrees_of_freedom")
        .group_by([col("experiment_id")]);
    Select::from(Query::from(tested))
        .columns(["experiment_id"])
        .item(survival(&col("statistic"), &col("degrees_of_freedom")), "srm_p_value")
        .into()
}

/// The chance of a chi-squared statistic at least as large, in finite sums for whole degrees of freedom:
/// Abramowitz and Stegun, 26.4.4 (odd) and 26.4.5 (even). With z half of the statistic and h a half for odd ones,
/// the terms are z^(j+h) e^-z ÷ Γ(j+h+1). `NULL` without degrees of freedom or without users.
fn survival(statistic: &Expr, degrees: &Expr) -> Expr {
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
