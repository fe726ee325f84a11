"""fct_ab_test_results a second time: users' values as JSON on stdin, the mart's rows on stdout.

Welch's test, its interval, the quantiles and the chi-square test are scipy's; CUPED, the delta method and
Holm's adjustment are written out from their definitions.
"""

import json
import sys
import warnings

import numpy
from scipy import stats

# Samples of equal values are meant.
warnings.filterwarnings("ignore", message="Precision loss occurred")

MEANS = ["conversion", "revenue_per_user", "active_days", "retention_d7"]
NO_CUPED = {"retention_d7"}
# Every value of a side is the same but for the rounding of floats where its deviation is this small a share of them.
ROUNDING = 1e-13
TESTED = ["standard_error", "ci_low", "ci_high", "degrees_of_freedom", "p_value", "p_value_adjusted",
          "minimum_detectable_effect"]
# Power of 80 % at 5 %.
DETECTABLE = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


def mean(values):
    return float(numpy.mean(values)) if len(values) else None


def linearised(part, whole):
    """R + (x - R y) / mean(y) with R = mean(x) / mean(y), or None where mean(y) is 0."""
    if not numpy.sum(whole):
        return None
    ratio = numpy.sum(part) / numpy.sum(whole)
    return ratio + (part - ratio * whole) / numpy.mean(whole)


def adjusted(variant, control):
    """Both groups' y - theta (x - mean(x)), theta and mean(x) over both together; each group is (y, x)."""
    (y_variant, x_variant), (y_control, x_control) = variant, control
    y, x = numpy.concatenate([y_variant, y_control]), numpy.concatenate([x_variant, x_control])
    theta = 0.0
    if len(x) > 1 and numpy.ptp(x) > 0:
        theta = numpy.cov(x, y)[0, 1] / numpy.var(x, ddof=1)
    return y_variant - theta * (x_variant - x.mean()), y_control - theta * (x_control - x.mean())


def both(users, metric, place):
    return numpy.array([user[metric][place] for user in users], dtype=float)


def samples(metric, method, variant, control):
    """What is compared of each group, or None for a group that has no value."""
    if metric == "task_success_rate":
        y = [linearised(both(users, "correct", 0), both(users, "attempts", 0)) for users in (variant, control)]
        if method == "welch" or y[0] is None or y[1] is None:
            return y
        together = variant + control
        x = linearised(both(together, "correct", 1), both(together, "attempts", 1))
        if x is None:
            return y
        return adjusted((y[0], x[: len(variant)]), (y[1], x[len(variant):]))
    if metric == "retention_d7":
        return [numpy.array(users, dtype=float) for users in (variant, control)]
    y = [both(users, metric, 0) for users in (variant, control)]
    if method == "welch" or not variant or not control:
        return y
    return adjusted((y[0], both(variant, metric, 1)), (y[1], both(control, metric, 1)))


def varies(sample, largest):
    """Whether the values of a sample, made of values up to the largest, differ by more than rounding."""
    return float(numpy.std(sample, ddof=1)) > ROUNDING * largest


def compared(variant, control, largest):
    """The statistics of two samples, made of values up to the largest of each side; and whether they have no variance."""
    row = dict.fromkeys(TESTED)
    row["value"] = None if variant is None else mean(variant)
    row["control_value"] = None if control is None else mean(control)
    row["absolute_difference"] = row["relative_lift"] = None
    if row["value"] is None or row["control_value"] is None:
        return row, False
    difference = row["absolute_difference"] = row["value"] - row["control_value"]
    # What rounding leaves of a control's zero is no control.
    if abs(row["control_value"]) > 1e-13 * (abs(row["value"]) + abs(row["control_value"])):
        row["relative_lift"] = difference / row["control_value"]
    if len(variant) < 2 or len(control) < 2:
        return row, False
    if not (varies(variant, largest[0]) and varies(control, largest[1])):
        return row, True
    error = float(numpy.sqrt(numpy.var(variant, ddof=1) / len(variant) + numpy.var(control, ddof=1) / len(control)))
    test = stats.ttest_ind(variant, control, equal_var=False)
    interval = test.confidence_interval(0.95)
    row.update(
        standard_error=error,
        ci_low=float(interval.low),
        ci_high=float(interval.high),
        degrees_of_freedom=float(test.df),
        p_value=float(test.pvalue),
        minimum_detectable_effect=float(DETECTABLE * error),
    )
    return row, False


def largest(values):
    """The largest value of each side; 0 without any."""
    return [float(numpy.abs(side).max()) if side is not None and len(side) else 0.0 for side in values]


def adjust_by_holm(rows):
    """Holm (1979): the smallest of m times m, the next times m - 1, ..., never falling, at most 1."""
    tested = sorted((row for row in rows if row["p_value"] is not None), key=lambda row: row["p_value"])
    least = 0.0
    for place, row in enumerate(tested):
        least = max(least, min(1.0, row["p_value"] * (len(tested) - place)))
        row["p_value_adjusted"] = least


def mismatch(experiment):
    """The chi-square test of all who were assigned, over the variants that shares are given for, or over all."""
    counts = experiment["assigned"]
    shares = experiment["expected_shares"] or dict.fromkeys(counts, 1)
    observed = [counts.get(variant, 0) for variant in shares]
    if len(observed) < 2 or sum(observed) == 0:
        return None
    scale = sum(observed) / sum(shares.values())
    return float(stats.chisquare(observed, [share * scale for share in shares.values()]).pvalue)


def warnings_of(experiment, variant, users, has_no_variance, srm_p_value):
    """What is to be doubted of a row, sorted."""
    said = set()
    if min(users) < experiment["min_users"]:
        said.add("few_users")
    if has_no_variance:
        said.add("no_variance")
    if srm_p_value is not None and srm_p_value < 0.001:
        said.add("sample_ratio_mismatch")
    if experiment["expected_shares"] and variant not in experiment["expected_shares"]:
        said.add("unexpected_variant")
    return sorted(said)


def results(experiment):
    srm_p_value = mismatch(experiment)
    for method in ["welch", "cuped"]:
        rows = []
        for metric in MEANS + ["task_success_rate"]:
            if method == "cuped" and metric in NO_CUPED:
                continue
            users_of = experiment["retention_d7" if metric == "retention_d7" else "variants"]
            control = users_of.get(experiment["control"], [])
            for name, variant in sorted(users_of.items()):
                if name != experiment["control"]:
                    told, tested = (samples(metric, by, variant, control) for by in ("welch", method))
                    # What is adjusted has the rounding of what it was made from.
                    scale = [max(sides) for sides in zip(largest(told), largest(tested))]
                    row, has_no_variance = compared(*tested, scale)
                    users = [len(variant), len(control)]
                    said = warnings_of(experiment, name, users, has_no_variance, srm_p_value)
                    rows.append((metric, name, users, max(scale), row, said))
        adjust_by_holm([row for *_, row, said in rows if "few_users" not in said])
        for metric, name, users, scale, row, said in rows:
            yield {
                "experiment_id": experiment["experiment_id"],
                "metric": metric,
                "method": method,
                "variant": name,
                "control_variant": experiment["control"],
                "users": users[0],
                "control_users": users[1],
                "excluded_users": experiment["excluded_users"],
                "warnings": said,
                "scale": scale,
                "statistics": {**row, "srm_p_value": srm_p_value},
            }


json.dump([row for experiment in json.load(sys.stdin) for row in results(experiment)], sys.stdout)
