//! `fct_ab_test_results`: what each variant of an experiment changed, and how sure that is.
//!
//! Everything is computed from `int_experiment_measures`, a row a user and experiment, in passes over it:
//! totals by variant, coefficients of each comparison, and the tests. Sums of floats depend on their order, so the
//! passes read in the order of the table and with one thread: the same users give the same bytes.

mod assigned;
mod samples;
mod tested;

use crate::intermediate::experiments::{IS_D7_OVER, IS_WINDOW_OVER};
use crate::model::{Build, Check, Column, ColumnTest, Layer, Model, ModelRef, Role};
use crate::sql::{
    Cte, Expr, JoinKind, Relation, Select, SqlType, Var, array, call, case, col, int, lambda, number, text,
    var,
};

/// 95 % of confidence.
const CONFIDENCE: &str = "0.95";
/// The quantiles of the standard normal distribution at 97.5 % and 80 % together: 1.9599640 + 0.8416212.
const EFFECT_PER_STANDARD_ERROR: &str = "2.8015852";
/// A standard deviation of less than this share of the largest value, or a control's value of less than this share of
/// both, is the rounding of floats, and is 0.
const ROUNDING: &str = "0.0000000000001";

/// The server's test sums squares: a difference of this many standard errors or more costs it too many digits.
const FARTHEST_BY_SQUARES: i64 = 1000;

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
    /// Whether a column holds, of a day after the assignment that the window need not reach; before it there is
    /// nothing to compare with.
    After(&'static str),
    /// Solved attempts by attempts, over users.
    SolvedByAttempts,
}

impl Metric {
    /// The column of the measures that says whether a user is analysed.
    fn is_analysed(&self) -> &'static str {
        if matches!(self.kind, Kind::After(_)) { IS_D7_OVER } else { IS_WINDOW_OVER }
    }
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

/// What is compared, and how it is told from the other.
const SIDES: [(&str, i64); 2] = [("variant", 0), ("control", 1)];

const WELCH: &str = "welch";
const CUPED: &str = "cuped";

/// A p-value of the sample ratio below this says that the assignment is broken.
const MISMATCH: &str = "0.001";

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
                      whose window has not ended by the end of `as_of_date`; one that ends with it is analysed. A \
                      window is `ab_window_days` of 24 hours from the instant of the assignment, also where the \
                      clocks change; `retention_d7` takes the users whose seventh day is over, whatever the window. \
                      Where a test cannot be made, for fewer than two users or no variance on a side, its columns \
                      are NULL. `warnings` says what is to be doubted."
            .to_owned(),
        grain: TEST.map(Into::into).into(),
        sorted_by: TEST.map(Into::into).into(),
        columns: columns(),
        checks: checks(),
        ctes: vec![
            Cte::new("seen", "Every variant that was assigned up to `as_of_date`.", assigned::seen()),
            Cte::new("controls", "The variants of each experiment, and which the others are compared with.", assigned::controls()),
            Cte::new(
                "comparisons",
                "Every other variant, with its control.",
                assigned::comparisons(),
            ),
            Cte::new("excluded", "Users who saw more than one variant.", assigned::excluded()),
            Cte::new("assigned", "All others, by variant, analysed or not yet.", assigned::assigned()),
            Cte::new("totals", "What the analysed users of a variant have together.", assigned::totals()),
            Cte::new("observed", "The users that variants have, and were to have.", assigned::observed()),
            Cte::new("mismatch", "The chi-squared test of a sample ratio mismatch.", assigned::mismatch()),
            Cte::new("sides", "The totals of both sides of a comparison.", samples::sides()),
            Cte::new(
                "samples",
                "A row a user, comparison and metric: y after the assignment, x before it. The ratio is linearised \
                 (the delta method): R + (solved - R * attempts) / mean attempts, written so that equal ratios \
                 give equal values.",
                samples::samples(),
            ),
            Cte::new(
                "coefficients",
                "CUPED takes theta * (x - mean x) from y, theta = cov(x, y) / var(x) over both sides.",
                samples::coefficients(),
            ),
            Cte::new(
                "values",
                "What is tested: as it is, for the means (all zeros are zero); less the mean of all, and less that of its \
                 side, for the tests.",
                samples::values(),
            ),
            Cte::new("moments", "Both samples of each test.", tested::moments()),
            Cte::new("figures", "Every test there should be, with what is known of it.", tested::figures()),
            Cte::new("tests", "Its results, where it can be made.", tested::tests()),
            Cte::new(
                "adjusted",
                "Holm: the k-th smallest p-value of m is multiplied by m - k + 1, and never falls below the one \
                 before it.",
                tested::adjusted(),
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
    let names = METRICS.map(|metric| metric.name.to_owned()).into();
    let share = ColumnTest::Within(0, 1);
    vec![
        key("experiment_id", "The experiment."),
        key(
            "metric",
            "What is measured of a user in the window. conversion: 1 with a paid purchase, else 0; \
             revenue_per_user: net revenue; active_days: distinct active dates; retention_d7: 1 if active on the \
             seventh date after that of the assignment, whatever the window, else 0; task_success_rate: correct attempts ÷ attempts, both summed over the users.",
        )
        .tested(ColumnTest::OneOf(names)),
        key(
            "method",
            "How it is tested: welch, or cuped. retention_d7 has nothing before the assignment, and no cuped.",
        )
            .tested(ColumnTest::OneOf(vec![WELCH.to_owned(), CUPED.to_owned()])),
        key("variant", "The variant."),
        Column::attribute(
            "control_variant",
            SqlType::LowCardinality,
            "The variant it is compared with.",
            of_test("control_variant").cast(SqlType::LowCardinality),
        ),
        users(
            "users",
            "Analysed users of the variant: those whose window is over; for retention_d7 those whose seventh day is.",
            of_test("variant_users"),
        ),
        users("control_users", "Analysed users of the control.", of_test("control_users")),
        figure(
            "value",
            "The metric of the variant: the mean over its users, for task_success_rate the one ratio of them all. NULL \
             without users and, for task_success_rate, without a single attempt: a side that tried nothing has no \
             rate, rather than one of 0.",
        ),
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
            "The p-value by Holm, over all metrics and variants of the experiment with this method. Tests that cannot be \
             made, and those with `few_users`, have none and do not count among them.",
        )
        .tested(share.clone()),
        figure(
            "minimum_detectable_effect",
            "The absolute difference that is found with 80 % power at a level of 5 %: 2.8015852 × standard_error.",
        ),
        Column {
            role: Role::Measure,
            ..Column::attribute(
                "srm_p_value",
                SqlType::Float64.nullable(),
                "Sample ratio mismatch: the chi-squared test of all users who were assigned by `as_of_date` and saw one \
                 variant only, analysed or not yet, over every variant seen, against equal shares; with the var \
                 `ab_expected_shares` over the variants it names, against these. NULL for fewer than two variants. \
                 Near 0, the assignment is broken and the other figures mean nothing.",
                col("srm_p_value").of("mismatch"),
            )
        }
        .tested(share),
        users(
            "excluded_users",
            "Users of the experiment who saw more than one variant, and are left out.",
            col("users").of("excluded"),
        ),
        Column::attribute(
            "warnings",
            SqlType::Array(Box::new(SqlType::LowCardinality)),
            "What is to be doubted, sorted. few_users: fewer than `ab_min_users` on a side, so the p-value is not \
             adjusted; no_variance: all values of a side are the same, so there is no test; sample_ratio_mismatch: \
             srm_p_value is below 0.001; unexpected_variant: the variant is not in the `ab_expected_shares` of the \
             experiment.",
            warnings(),
        ),
    ]
}

fn warnings() -> Expr {
    let shares = || var(Var::AbExpectedShares);
    let id = || call("toString", [of_test("experiment_id")]);
    let expected = call("arrayElement", [shares(), id()]);
    let is_named = call("mapContains", [expected, call("toString", [of_test("variant")])]);
    let is_mismatched = col("srm_p_value").of("mismatch").less(number(MISMATCH));
    let warning = |is_due: Expr, name: &str| case([(is_due, text(name))], text(""));
    // In the order of their names.
    let all = array([
        warning(of_test("has_few_users"), "few_users"),
        warning(of_test("has_no_variance"), "no_variance"),
        warning(call("ifNull", [is_mismatched, int(0)]), "sample_ratio_mismatch"),
        warning(call("mapContains", [shares(), id()]).and(!is_named), "unexpected_variant"),
    ]);
    let is_given = lambda("warning", |warning| warning.differs(text("")));
    call("arrayFilter", [is_given, all]).cast(SqlType::Array(Box::new(SqlType::LowCardinality)))
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

fn null() -> Expr {
    call("nullIf", [int(0), int(0)])
}

fn rows() -> Select {
    let of_experiment = |of: &'static str| {
        let same = col("experiment_id").of(of).equals(of_test("experiment_id"));
        (JoinKind::Inner, Relation::cte(of).alias(of), same)
    };
    ["mismatch", "excluded"]
        .map(of_experiment)
        .into_iter()
        .fold(Select::from(Relation::cte("adjusted").alias("adjusted")), |select, (kind, with, on)| {
            select.join(kind, with, on)
        })
        // Sums of floats depend on their order.
        .setting("max_threads", 1)
}
