//! `fct_ab_test_results`: what each variant of an experiment changed, and how sure that is.
//!
//! Everything is computed from `int_experiment_measures`, a row a user and experiment, in passes over it:
//! totals by variant, coefficients of each comparison, and the tests. Sums of floats depend on their order, so the
//! passes read in the order of the table and with one thread: the same users give the same bytes.

use crate::intermediate::experiments::{BEFORE, assignments, first_assignments, measures};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef, Role};
use crate::pieces::is_reported;
use crate::sql::{
    Bound, Cte, Expr, Frame, FrameUnit, JoinKind, Order, Query, Relation, Select, SqlType, Var, WindowSpec,
    array, call, case, col, int, lambda, number, parametric, text, tuple, var,
};

/// 95 % of confidence.
const CONFIDENCE: &str = "0.95";
/// The quantiles of the standard normal distribution at 97.5 % and 80 % together: 1.9599640 + 0.8416212.
const EFFECT_PER_STANDARD_ERROR: &str = "2.8015852";
/// A standard error or a control's value of less than this share of the values is the rounding of floats, and is 0.
const ROUNDING: &str = "0.0000000000001";

/// A metric, as a user's value after the assignment and before it.
struct Metric {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    /// A column of the measures, and the same before the assignment.
    Mean(&'static str),
    /// Whether such a column is above zero.
    Share(&'static str),
    /// A column that has nothing to compare with before the assignment.
    After(&'static str),
    /// Solved attempts by attempts, over users.
    SolvedByAttempts,
}

const METRICS: [Metric; 5] = [
    Metric { name: "conversion", kind: Kind::Share("paid_purchases") },
    Metric { name: "revenue_per_user", kind: Kind::Mean("net_revenue") },
    Metric { name: "active_days", kind: Kind::Mean("active_days") },
    Metric { name: "retention_d7", kind: Kind::After("is_active_d7") },
    Metric { name: "task_success_rate", kind: Kind::SolvedByAttempts },
];

/// The measures that are there for both sides of the assignment.
const SIDED_MEASURES: [&str; 5] = ["paid_purchases", "net_revenue", "active_days", "attempts", "solved"];

const WELCH: &str = "welch";
const CUPED: &str = "cuped";

/// What one test is of.
const TEST: [&str; 4] = ["experiment_id", "metric", "method", "variant"];

/// The mart's definition.
pub(super) fn model() -> Model {
    Model {
        id: ModelRef::new(Layer::Mart, "fct_ab_test_results"),
        build: Build::Table,
        description: "Each variant of an experiment against its control, by metric and method: `welch` is the \
                      two-sided t-test of unequal variances, `cuped` the same after what users did before their \
                      assignment is taken out. Users who saw more than one variant are left out, as are those \
                      whose window of `ab_window_days` has not ended by the end of `as_of_date`. Where a test \
                      cannot be made, for fewer than two users on a side or no variance, its columns are NULL."
            .to_owned(),
        grain: TEST.map(Into::into).into(),
        sorted_by: TEST.map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new("seen", "Every variant that was assigned up to `as_of_date`.", seen()),
            Cte::new("controls", "What each variant is compared with.", controls()),
            Cte::new(
                "comparisons",
                "Every other variant, with its control.",
                comparisons(),
            ),
            Cte::new("excluded", "Users who saw more than one variant.", excluded()),
            Cte::new("totals", "What the analysed users of a variant have together.", totals()),
            Cte::new("observed", "Analysed users, and the share they were to be, of each variant.", observed()),
            Cte::new(
                "mismatch",
                "The chi-squared statistic of a sample ratio mismatch, with its degrees of freedom.",
                mismatch(),
            ),
            Cte::new("sides", "The totals of both sides of a comparison.", sides()),
            Cte::new(
                "samples",
                "A row a user, comparison and metric: y after the assignment, x before it. The ratio is linearised \
                 (the delta method): R + (solved - R * attempts) / mean attempts, written so that equal ratios \
                 give equal values.",
                samples(),
            ),
            Cte::new(
                "coefficients",
                "CUPED takes theta * (x - mean x) from y, theta = cov(x, y) / var(x) over both sides.",
                coefficients(),
            ),
            Cte::new(
                "values",
                "What is tested: as it is, for the means (all zeros are zero), and less a constant, for the tests.",
                values(),
            ),
            Cte::new("moments", "Both samples of each test.", moments()),
            Cte::new("figures", "Every test there should be, with what is known of it.", figures()),
            Cte::new("tests", "Its results, where it can be made.", tests()),
            Cte::new(
                "adjusted",
                "Holm: the k-th smallest p-value of m is multiplied by m - k + 1, and never falls below the one \
                 before it.",
                adjusted(),
            ),
        ],
        rows: rows(),
    }
}

fn of_test(name: &'static str) -> Expr {
    col(name).of("adjusted")
}

fn columns() -> Vec<Column> {
    let key = |name, doc| {
        Column::key(name, SqlType::LowCardinality, doc, of_test(name).cast(SqlType::LowCardinality))
    };
    let users = |name, doc, value| Column::count(name, "users", doc, value);
    let figure = |name: &'static str, doc: &'static str| Column {
        role: Role::Measure,
        ..Column::attribute(name, SqlType::Float64.nullable(), doc, of_test(name))
    };
    let of_side = |side: &'static str| call("ifNull", [col("users").of(side), int(0)]);
    let names = METRICS.map(|metric| metric.name.to_owned()).into();
    let share = ColumnTest::Within(0, 1);
    vec![
        key("experiment_id", "The experiment."),
        key("metric", "What is measured of a user.").tested(ColumnTest::OneOf(names)),
        key("method", "How it is tested.")
            .tested(ColumnTest::OneOf(vec![WELCH.to_owned(), CUPED.to_owned()])),
        key("variant", "The variant."),
        Column::attribute(
            "control_variant",
            SqlType::LowCardinality,
            "The variant it is compared with.",
            of_test("control_variant").cast(SqlType::LowCardinality),
        ),
        users("users", "Analysed users of the variant.", of_side("own")),
        users("control_users", "Analysed users of the control.", of_side("controls_own")),
        figure("value", "The metric of the variant; NULL without users, or without attempts."),
        figure("control_value", "The metric of the control."),
        figure("absolute_difference", "value - control_value."),
        figure("relative_lift", "absolute_difference ÷ control_value; NULL where that is 0."),
        figure("standard_error", "Of the absolute difference: the root of the sum of both variances ÷ users."),
        figure("ci_low", "Where the 95 % confidence interval of the absolute difference begins."),
        figure("ci_high", "Where it ends."),
        figure("degrees_of_freedom", "By Welch and Satterthwaite."),
        figure("p_value", "Two-sided: how likely a difference at least as large is, were there none.")
            .tested(share.clone()),
        figure(
            "p_value_adjusted",
            "The p-value by Holm, over all metrics and variants of the experiment with this method.",
        )
        .tested(share.clone()),
        figure(
            "minimum_detectable_effect",
            "The absolute difference that is found with 80 % power at a level of 5 %: 2.8015852 × standard_error.",
        ),
        Column::attribute(
            "srm_p_value",
            SqlType::Float64.nullable(),
            "Sample ratio mismatch: the chi-squared test of analysed users over all variants against the shares \
             they were to have. Near 0, the assignment is broken and the other figures mean nothing.",
            survival(&col("statistic").of("mismatch"), &col("degrees_of_freedom").of("mismatch")),
        )
        .tested(share),
        users(
            "excluded_users",
            "Users of the experiment who saw more than one variant, and are left out.",
            col("users").of("excluded"),
        ),
    ]
}

fn checks() -> Vec<Check> {
    let within =
        |low: &'static str, high: &'static str| call("ifNull", [col(low).at_most(col(high)), int(1)]);
    vec![
        Check { name: "differs_from_its_control", condition: col("variant").differs(col("control_variant")) },
        Check { name: "interval_is_one", condition: within("ci_low", "ci_high") },
        Check { name: "adjusting_raises_p", condition: within("p_value", "p_value_adjusted") },
    ]
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

fn null() -> Expr {
    call("nullIf", [int(0), int(0)])
}

fn seen() -> Query {
    Select::from(assignments())
        .columns(["experiment_id", "variant"])
        .filter(is_reported(col("activity_date")))
        .distinct()
        .into()
}

fn controls() -> Query {
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

fn comparisons() -> Query {
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

fn excluded() -> Query {
    Select::from(first_assignments())
        .columns(["experiment_id"])
        .item(call("countIf", [col("variants_seen").greater(int(1))]), "users")
        .group_by([col("experiment_id")])
        .into()
}

fn totals() -> Query {
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

fn observed() -> Query {
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
fn sum_of_sorted(floats: Expr) -> Expr {
    call("arraySum", [call("arraySort", [floats])])
}

fn mismatch() -> Query {
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

/// Two rows a comparison: the variant's side, and the control's.
fn sides() -> Query {
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
fn linearised(
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

fn samples() -> Query {
    let user = |name: &str| col(name.to_owned()).of("user");
    let side = |name: &'static str| col(name).of("sides");
    let float = |value: Expr| call("toFloat64", [value]);
    let prior = |name: &str| user(&format!("{BEFORE}{name}"));
    let pairs = METRICS.map(|Metric { name, kind }| {
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
        tuple([text(name), y.cast(SqlType::Float64.nullable()), x])
    });
    let users = Select::from(measures())
        .columns(["experiment_id", "variant", "is_active_d7"])
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
        .item(col("pair").element(2), "y")
        .item(col("pair").element(3), "x")
        .array_join(col("pairs"), "pair")
        .into()
}

fn coefficients() -> Query {
    // Where a side has no value, its users take no part: the other is compared with nothing, and keeps its mean.
    let has_value = || call("isNotNull", [col("y")]);
    let variance = || call("varSampStableIf", [col("x"), has_value()]);
    let theta = case(
        [(call("countIf", [has_value()]).greater(int(1)).and(variance().greater(int(0))), {
            call("covarSampStable", [col("x"), col("y")]) / variance()
        })],
        int(0),
    );
    Select::from(Relation::cte("samples"))
        .columns(["experiment_id", "variant", "metric"])
        .item(call("avgIf", [col("x"), has_value()]), "mean_x")
        .item(call("avg", [col("y")]), "mean_y")
        .item(theta, "theta")
        .group_by(["experiment_id", "variant", "metric"].map(col))
        .into()
}

fn values() -> Query {
    let sample = |name: &'static str| col(name).of("samples");
    let coefficient = |name: &'static str| col(name).of("coefficients");
    let before = || coefficient("theta") * (sample("x") - coefficient("mean_x"));
    let centred = || sample("y") - coefficient("mean_y");
    let of_method = |method, value, centred| tuple([text(method), value, centred]);
    let mut joined = Select::from(Relation::cte("samples").alias("samples"));
    for name in ["experiment_id", "variant", "metric", "is_control"] {
        joined = joined.item(sample(name), name);
    }
    let methods = array([
        of_method(WELCH, sample("y"), centred()),
        of_method(CUPED, sample("y") - before(), centred() - before()),
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
        .array_join(col("both"), "one")
        .into()
}

fn moments() -> Query {
    let (value, centred) = (|| col("value"), || col("centred"));
    let mut select = Select::from(Relation::cte("values")).columns(TEST);
    for (side, is_control) in [("variant", 0), ("control", 1)] {
        let on_side = || col("is_control").equals(int(is_control));
        let measured = call("countIf", [on_side().and(call("isNotNull", [value()]))]);
        select = select
            .item(measured, format!("{side}_users"))
            .item(call("avgIf", [value(), on_side()]), format!("{side}_mean"))
            .item(call("varSampStableIf", [centred(), on_side()]), format!("{side}_variance"));
    }
    // The server's test takes no NULL; where there is one, all of a side are, and nothing is tested. It fails for
    // samples that cannot be tested, so it is kept as a state until that is known.
    let samples = [call("ifNull", [centred(), int(0)]), col("is_control")];
    let welch = parametric("welchTTestState", [number(CONFIDENCE)], samples);
    select.item(welch, "welch").group_by(TEST.map(col)).into()
}

/// Every metric and method.
fn grid() -> Expr {
    let tests = METRICS.iter().flat_map(|metric| {
        let methods: &[&str] = if matches!(metric.kind, Kind::After(_)) { &[WELCH] } else { &[WELCH, CUPED] };
        methods.iter().map(|method| tuple([text(metric.name), text(*method)]))
    });
    array(tests)
}

fn figures() -> Query {
    let every = Select::from(Relation::cte("comparisons"))
        .columns(["experiment_id", "variant", "control_variant"])
        .item(col("test").element(1), "metric")
        .item(col("test").element(2), "method")
        .array_join(grid(), "test");
    let every_one = |name: &'static str| col(name).of("every");
    let moment = |name: &str| col(name.to_owned()).of("moments");
    let users = |side: &str| call("ifNull", [moment(&format!("{side}_users")), int(0)]);
    let mut select =
        Select::from(Query::from(every).alias("every")).item(every_one("control_variant"), "control_variant");
    for name in TEST {
        select = select.item(every_one(name), name);
    }
    for side in ["variant", "control"] {
        let value = moment(&format!("{side}_mean"));
        select = select
            .item(users(side), format!("{side}_users"))
            .item(case([(users(side).greater(int(0)), value)], null()), format!("{side}_value"))
            .item(moment(&format!("{side}_variance")) / users(side), format!("{side}_share"));
    }
    select
        .item(moment("welch"), "welch")
        .join(JoinKind::Left, Relation::cte("moments").alias("moments"), {
            TEST.map(|name| moment(name).equals(every_one(name)))
                .into_iter()
                .reduce(Expr::and)
                .expect("a test has keys")
        })
        .into()
}

fn tests() -> Query {
    let error = || call("sqrt", [col("variant_share") + col("control_share")]);
    let size = call("abs", [col("variant_value")]) + call("abs", [col("control_value")]);
    let enough = |side: &str| col(format!("{side}_users")).greater(int(1));
    let can_be_tested =
        enough("variant").and(enough("control")).and(error().greater(size * number(ROUNDING)));
    let tested = || col("is_tested");
    let if_tested = |value: Expr| case([(tested(), value)], null()).cast(SqlType::Float64.nullable());
    let square = |value: Expr| value.clone() * value;
    let of_side = |side: &str| square(col(format!("{side}_share"))) / (col(format!("{side}_users")) - int(1));
    let degrees =
        square(col("variant_share") + col("control_share")) / (of_side("variant") + of_side("control"));
    let judged = Select::from(Relation::cte("figures"))
        .columns(TEST)
        .columns(["control_variant", "variant_value", "control_value", "welch"])
        .item(call("ifNull", [can_be_tested, int(0)]), "is_tested")
        .item(error(), "error")
        .item(degrees, "degrees");
    // An array of the one test that is made, or of none.
    let made = call("arraySlice", [array([col("welch")]), int(1), tested()]);
    let finished = call("arrayMap", [lambda("test", |test| call("finalizeAggregation", [test])), made]);
    let result = |place| call("arrayElement", [finished.clone(), int(1)]).element(place);
    Select::from(Query::from(judged))
        .columns(TEST)
        .columns(["control_variant", "variant_value", "control_value"])
        .item(if_tested(col("error")), "standard_error")
        .item(if_tested(col("degrees")), "degrees_of_freedom")
        .item(if_tested(result(2)), "p_value")
        .item(if_tested(result(3)), "ci_low")
        .item(if_tested(result(4)), "ci_high")
        .into()
}

fn adjusted() -> Query {
    let family = |ordered: bool| WindowSpec {
        partition_by: ["experiment_id", "method"].map(col).into(),
        order_by: if ordered {
            vec![Order::by(call("isNull", [col("p_value")])), Order::by(col("p_value"))]
        } else {
            Vec::new()
        },
        frame: ordered.then_some(Frame {
            unit: FrameUnit::Rows,
            start: Bound::UnboundedPreceding,
            end: Bound::CurrentRow,
        }),
    };
    let larger = call("count", [col("p_value")]).over(family(false))
        - call("row_number", []).over(family(true))
        + int(1);
    let scaled = Select::from(Relation::cte("tests"))
        .columns(TEST)
        .columns([
            "control_variant",
            "variant_value",
            "control_value",
            "standard_error",
            "degrees_of_freedom",
        ])
        .columns(["p_value", "ci_low", "ci_high"])
        .item(col("p_value") * larger, "scaled");
    let highest = call("max", [col("scaled")]).over(family(true));
    let difference = || col("variant_value") - col("control_value");
    // A control that is zero but for rounding, as CUPED leaves it, has no lift.
    let size = |side: &str| call("abs", [col(format!("{side}_value"))]);
    let is_there = size("control").greater((size("variant") + size("control")) * number(ROUNDING));
    let lift =
        case([(is_there, difference() / col("control_value"))], null()).cast(SqlType::Float64.nullable());
    Select::from(Query::from(scaled))
        .columns(TEST)
        .columns(["control_variant", "standard_error", "degrees_of_freedom", "p_value", "ci_low", "ci_high"])
        .item(col("variant_value"), "value")
        .columns(["control_value"])
        .item(difference(), "absolute_difference")
        .item(lift, "relative_lift")
        .item(col("standard_error") * number(EFFECT_PER_STANDARD_ERROR), "minimum_detectable_effect")
        .item(
            case([(call("isNull", [col("p_value")]), null())], call("least", [highest, int(1)])),
            "p_value_adjusted",
        )
        .into()
}

fn rows() -> Select {
    let same = |of: &'static str, name: &'static str| col(name).of(of).equals(of_test(name));
    let of_experiment = |of| same(of, "experiment_id");
    let totals = |alias: &'static str, variant: &'static str| {
        let condition = of_experiment(alias).and(col("variant").of(alias).equals(of_test(variant)));
        (JoinKind::Left, Relation::cte("totals").alias(alias), condition)
    };
    let joins = [
        (JoinKind::Inner, Relation::cte("mismatch").alias("mismatch"), of_experiment("mismatch")),
        (JoinKind::Inner, Relation::cte("excluded").alias("excluded"), of_experiment("excluded")),
        totals("own", "variant"),
        totals("controls_own", "control_variant"),
    ];
    joins
        .into_iter()
        .fold(Select::from(Relation::cte("adjusted").alias("adjusted")), |select, (kind, with, on)| {
            select.join(kind, with, on)
        })
        // Sums of floats depend on their order.
        .setting("max_threads", 1)
}
