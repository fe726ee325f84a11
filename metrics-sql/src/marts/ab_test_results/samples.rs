//! A row a user, comparison, metric and method: what is tested.

use super::{CUPED, Kind, METRICS, Metric, SIDED_MEASURES, SIDES, WELCH, null};
use crate::intermediate::experiments::{BEFORE, IS_D7_OVER, IS_WINDOW_OVER, measures};
use crate::sql::{
    Expr, JoinKind, Order, Query, Relation, Select, SqlType, WindowSpec, array, call, case, col, int, text,
    tuple,
};

/// Two rows a comparison: the variant's side, and the control's.
pub(super) fn sides() -> Query {
    let both = [("variant", 0), ("control_variant", 1)]
        .map(|(variant, is_control)| tuple([call("toString", [col(variant)]), int(is_control)]));
    let each = Select::from(Relation::cte("comparisons"))
        .columns(["experiment_id", "variant"])
        .item(col("side").element(1), "side_variant")
        .item(col("side").element(2), "is_control")
        .array_join(array(both), "side");
    let side = |name: &'static str| col(name).of("side");
    let total = |name: &'static str| call("ifNull", [col(name).of("totals"), int(0)]);
    let of_comparison = || WindowSpec {
        partition_by: ["experiment_id", "variant"].map(side).into(),
        ..WindowSpec::default()
    };
    let mut select = Select::from(Query::from(each).alias("side"));
    for name in ["experiment_id", "variant", "side_variant", "is_control"] {
        select = select.item(side(name), name);
    }
    for name in ["users", "total_attempts", "total_solved"] {
        select = select.item(total(name), format!("side_{name}"));
    }
    for name in ["users", "total_prior_attempts", "total_prior_solved"] {
        select = select.item(call("sum", [total(name)]).over(of_comparison()), format!("both_{name}"));
    }
    let same = |of_totals: &'static str, of_side| col(of_totals).of("totals").equals(side(of_side));
    select
        .join(
            JoinKind::Left,
            Relation::cte("totals").alias("totals"),
            same("experiment_id", "experiment_id").and(same("variant", "side_variant")),
        )
        .into()
}

/// The linearised ratio of one user: R + (n − R·d) ÷ mean d, with R = N ÷ D of the group, as
/// N ÷ D + (n·D − d·N) · users ÷ D². Without attempts in the group it is `otherwise`.
pub(super) fn linearised(
    [solved, attempts]: [Expr; 2],
    [group_users, group_solved, group_attempts]: [Expr; 3],
    otherwise: Expr,
) -> Expr {
    let (n, d) = (|| group_solved.clone(), || group_attempts.clone());
    let wide = |value: Expr| call("toInt128", [value]);
    let float = |value: Expr| call("toFloat64", [value]);
    let deviation = wide(solved) * d() - wide(attempts) * n();
    let value = float(n()) / float(d()) + float(deviation) * float(group_users) / (float(d()) * float(d()));
    case([(d().equals(int(0)), otherwise)], value)
}

pub(super) fn samples() -> Query {
    let user = |name: &str| col(name.to_owned()).of("user");
    let side = |name: &'static str| col(name).of("sides");
    let float = |value: Expr| call("toFloat64", [value]);
    let prior = |name: &str| user(&format!("{BEFORE}{name}"));
    let pairs = METRICS.map(|metric| {
        let is_analysed = user(metric.is_analysed());
        let Metric { name, kind } = metric;
        let (y, x) = match kind {
            Kind::Mean(column) => (float(user(column)), float(prior(column))),
            Kind::Share(column) => {
                (float(user(column).greater(int(0))), float(prior(column).greater(int(0))))
            }
            Kind::After(column) => (float(user(column)), float(int(0))),
            Kind::SolvedByAttempts => (
                linearised(
                    ["solved", "attempts"].map(user),
                    ["side_users", "side_total_solved", "side_total_attempts"].map(side),
                    null(),
                ),
                linearised(
                    ["solved", "attempts"].map(prior),
                    ["both_users", "both_total_prior_solved", "both_total_prior_attempts"].map(side),
                    float(int(0)),
                ),
            ),
        };
        // Who is not analysed, or of a side that has no value, is no sample.
        let y = case([(is_analysed, y)], null()).cast(SqlType::Float64.nullable());
        tuple([text(name), y, x])
    });
    let users = Select::from(measures())
        .columns(["experiment_id", "variant", IS_WINDOW_OVER, IS_D7_OVER, "is_active_d7"])
        .columns(SIDED_MEASURES)
        .columns(SIDED_MEASURES.map(|name| format!("{BEFORE}{name}")))
        .order_by(["experiment_id", "user_id"].map(|name| Order::by(col(name))));
    let joined = Select::from(Query::from(users).alias("user"))
        .item(side("experiment_id"), "experiment_id")
        .item(side("variant"), "variant")
        .item(side("is_control"), "is_control")
        .item(array(pairs), "pairs")
        .join(JoinKind::Inner, Relation::cte("sides").alias("sides"), {
            side("experiment_id")
                .equals(user("experiment_id"))
                .and(side("side_variant").equals(user("variant")))
        });
    Select::from(Query::from(joined))
        .columns(["experiment_id", "variant", "is_control"])
        .item(col("pair").element(1), "metric")
        .item(call("assumeNotNull", [col("pair").element(2)]), "y")
        .item(col("pair").element(3), "x")
        .array_join(col("pairs"), "pair")
        .filter(call("isNotNull", [col("pair").element(2)]))
        .into()
}

pub(super) fn coefficients() -> Query {
    let variance = || call("varSampStable", [col("x")]);
    let theta = case(
        [(call("count", []).greater(int(1)).and(variance().greater(int(0))), {
            call("covarSampStable", [col("x"), col("y")]) / variance()
        })],
        int(0),
    );
    let mut select = Select::from(Relation::cte("samples"))
        .columns(["experiment_id", "variant", "metric"])
        .item(call("avg", [col("x")]), "mean_x")
        .item(call("avg", [col("y")]), "mean_y")
        .item(theta, "theta");
    for (side, is_control) in SIDES {
        let on_side = || col("is_control").equals(int(is_control));
        for name in ["x", "y"] {
            select = select
                .item(call("avgIf", [col(name), on_side()]), format!("{side}_mean_{name}"))
                .item(call("maxIf", [call("abs", [col(name)]), on_side()]), format!("{side}_largest_{name}"));
        }
    }
    select.group_by(["experiment_id", "variant", "metric"].map(col)).into()
}

pub(super) fn values() -> Query {
    let sample = |name: &'static str| col(name).of("samples");
    let coefficient = |name: &'static str| col(name).of("coefficients");
    let before = || coefficient("theta") * (sample("x") - coefficient("mean_x"));
    let centred = || sample("y") - coefficient("mean_y");
    let of_side = |name: &str| {
        let [variant, control] = SIDES.map(|(side, _)| col(format!("{side}_{name}")).of("coefficients"));
        case([(sample("is_control").equals(int(1)), control)], variant)
    };
    let apart = || sample("y") - of_side("mean_y");
    let apart_before = coefficient("theta") * (sample("x") - of_side("mean_x"));
    let largest_before = call("abs", [coefficient("theta")]) * of_side("largest_x");
    let largest = call("greatest", [of_side("largest_y"), largest_before]);
    let of_method =
        |method, value, centred, apart, scale| tuple([text(method), value, centred, apart, scale]);
    let mut joined = Select::from(Relation::cte("samples").alias("samples"));
    for name in ["experiment_id", "variant", "metric", "is_control"] {
        joined = joined.item(sample(name), name);
    }
    let methods = array([
        of_method(WELCH, sample("y"), centred(), apart(), of_side("largest_y")),
        of_method(CUPED, sample("y") - before(), centred() - before(), apart() - apart_before, largest),
    ]);
    let joined = joined.item(methods, "both").join(
        JoinKind::Inner,
        Relation::cte("coefficients").alias("coefficients"),
        {
            let same = |name: &'static str| coefficient(name).equals(sample(name));
            same("experiment_id").and(same("variant")).and(same("metric"))
        },
    );
    Select::from(Query::from(joined))
        .columns(["experiment_id", "variant", "metric", "is_control"])
        .item(col("one").element(1), "method")
        .item(col("one").element(2), "value")
        .item(col("one").element(3), "centred")
        .item(col("one").element(4), "apart")
        .item(col("one").element(5), "scale")
        .array_join(col("both"), "one")
        .into()
}
