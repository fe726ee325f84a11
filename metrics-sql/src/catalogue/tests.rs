//! Names, slices and their errors.

use super::*;
use crate::{Plain, Target, render_query};

fn sql(name: &str, slice: &Slice) -> Result<String, CatalogueError> {
    let target = Target::Plain(Plain::with_prefix("acme_", "2026-03-31"));
    Ok(render_query(&find(name, &[])?.query(slice)?, &target))
}

fn by(values: &[&str]) -> Slice {
    Slice { by: values.iter().map(ToString::to_string).collect(), ..Slice::default() }
}

#[test]
fn every_metric_is_found_by_the_name_it_is_listed_under() {
    let metrics = metrics(&[]);
    assert!(metrics.len() > 40, "{}", metrics.len());
    for metric in metrics {
        assert_eq!(find(&metric.name(), &[]).unwrap(), metric);
        assert_eq!(find(&metric.full_name(), &[]).unwrap(), metric);
        for value in metric.can_be_read_by() {
            metric.query(&by(&[&value])).unwrap();
        }
    }
}

#[test]
fn a_metric_is_read_overall_and_by_day_unless_said_otherwise() {
    let slice = Slice { from: Some("2026-03-01".parse().unwrap()), ..Slice::default() };
    insta::assert_snapshot!(sql("fct_revenue.net_revenue", &slice).unwrap());
}

#[test]
fn a_segment_and_a_period_can_be_asked_for_together() {
    let slice = Slice { to: Some("2026-03-31".parse().unwrap()), ..by(&["month", "plan"]) };
    insta::assert_snapshot!(sql("fct_revenue.net_revenue", &slice).unwrap());
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut said = String::new();
    for (name, slice) in [
        ("daus", by(&[])),
        ("zzz", by(&[])),
        ("revenue", by(&[])),
        ("net_revenue", by(&[])),
        ("fct_revenu.net_revenue", by(&[])),
        ("fct_revenue.net_revenu", by(&[])),
        ("fct_activty_daily", by(&[])),
        ("fct_conversion", by(&[])),
        ("stg_events", by(&[])),
        ("dau", by(&["platfrom"])),
        ("dau", by(&["plan"])),
        ("arpu", by(&["month", "week"])),
        ("p_value", Slice { from: Some("2026-03-01".parse().unwrap()), ..Slice::default() }),
    ] {
        said += &sql(name, &slice).unwrap_err().to_string();
        said += "\n";
    }
    insta::assert_snapshot!(said);
}
