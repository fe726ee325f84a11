//! Cohorts as a grid whose cells are the darker the larger the share, and rows as a list.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::parts::shown_cohorts;
use crate::{Row, Unit, number, text};

/// A grid: a row a cohort with its size, a column a period.
pub(crate) fn cohorts(rows: &[Row], row: &str, size: &str, column: &str, share: &str) -> Markup {
    let mut cohorts: BTreeMap<&str, (Option<f64>, BTreeMap<u64, f64>)> = BTreeMap::new();
    for figures in rows {
        let (users, shares) = cohorts.entry(text(figures, row)).or_default();
        *users = number(figures, size);
        if let (Some(period), Some(share)) = (number(figures, column), number(figures, share)) {
            shares.insert(period as u64, share);
        }
    }
    let cohorts: Vec<_> = cohorts.into_iter().collect();
    let cohorts = shown_cohorts(&cohorts);
    let last = cohorts.iter().filter_map(|(_, (_, shares))| shares.keys().next_back()).max().copied();
    html! {
        table.grid {
            thead { tr { th { "cohort" } th { "users" } @for period in 0..=last.unwrap_or(0) { th { (period) } } } }
            tbody {
                @for (cohort, (users, shares)) in cohorts {
                    tr {
                        th { (cohort) }
                        td { (shown(*users, Unit::Count)) }
                        @for period in 0..=last.unwrap_or(0) {
                            @match shares.get(&period) {
                                Some(share) => td style=(shade(*share)) { (shown(Some(*share), Unit::Share)) },
                                None => td {},
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The background of a share, with text that can be read on it.
fn shade(share: f64) -> String {
    let share = share.clamp(0.0, 1.0);
    let colour = if share > 0.55 { "#fff" } else { "#222" };
    format!("background:rgba(31,95,168,{share:.3});color:{colour}")
}

/// The rows as they are.
pub(crate) fn list(rows: &[Row], columns: &[(&str, Unit)]) -> Markup {
    html! {
        table {
            thead { tr { @for (name, _) in columns { th { (name.replace('_', " ")) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (name, unit) in columns {
                            @if *unit == Unit::Text { td.text { (text(row, name)) } }
                            @else { td { (shown(number(row, name), *unit)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A number as people read it; a dash where there is none.
pub(crate) fn shown(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match unit {
        Unit::Share => format!("{:.1} %", value * 100.0),
        Unit::Count => thousands(value, 0),
        Unit::Money => thousands(value, 2),
        Unit::Number | Unit::Text => format!("{value:.4}"),
    }
}

/// A number with a comma at every thousand.
fn thousands(value: f64, decimals: usize) -> String {
    let written = format!("{:.decimals$}", value.abs());
    let (whole, rest) = written.split_at(written.find('.').unwrap_or(written.len()));
    let mut out = String::from(if value < 0.0 && written.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        "-"
    } else {
        ""
    });
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}
