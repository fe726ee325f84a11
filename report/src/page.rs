//! The page: head, the latest figures, and each part.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::{self, Points};
use crate::{AsOf, Form, Part, Row, Unit, number, table, text};

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 0; }
p.note { color: #666; margin: .2rem 0 .8rem; } p.warning { background: #fff3cd; padding: .3rem .6rem; margin: .3rem 0; } p.names { margin: 0; font-size: .85rem; } p.names span { margin-right: 1.2rem; } svg { width: 100%; height: auto; }
.latest { display: flex; flex-wrap: wrap; gap: 1.6rem; margin: 1.4rem 0; } .latest b { display: block; font-size: 1.5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .25rem .55rem; text-align: right; white-space: nowrap; } th { font-weight: 600; }
td.text, th:first-child { text-align: left; } tbody tr { border-top: 1px solid #eee; }
";

/// The page of parts and the rows that were read for each.
pub fn page(as_of: &AsOf, answers: &[(Part, Vec<Row>)]) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Schoolbell, " (as_of.dates) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Schoolbell" }
                p.note { "Daily analytics as of " (as_of.dates) " (" (as_of.built) ")." }
                @for warning in &as_of.warnings { p.warning { (warning) } }
                (latest(answers))
                @for (part, rows) in answers {
                    section {
                        h2 { (part.title) }
                        p.note { (part.note) }
                        @if rows.is_empty() { p { "No figures yet." } } @else { div.wide { (body(part, rows)) } }
                    }
                }
            }
        }
    };
    markup.into_string()
}

/// The last row of each chart over time.
fn latest(answers: &[(Part, Vec<Row>)]) -> Markup {
    html! {
        div.latest {
            @for (part, rows) in answers {
                @if let (Form::Lines { lines, unit, .. }, Some(row)) = (part.form, rows.last()) {
                    @for line in lines {
                        div { b { (table::shown(number(row, line), unit)) } (line.replace('_', " ")) }
                    }
                }
            }
        }
    }
}

fn body(part: &Part, rows: &[Row]) -> Markup {
    match part.form {
        Form::Lines { x, lines, unit } => {
            let labels: Vec<String> = rows.iter().map(|row| text(row, x).to_owned()).collect();
            let lines: Vec<(String, Points)> = lines
                .iter()
                .map(|line| {
                    let points = rows.iter().enumerate();
                    let points = points.filter_map(|(place, row)| Some((place, number(row, line)?)));
                    (line.replace('_', " "), points.collect())
                })
                .collect();
            chart::lines(&labels, &lines, unit)
        }
        Form::LinesBy { by, x, y, unit } => lines_by(rows, by, x, y, unit),
        Form::Cohorts { row, size, column, share } => table::cohorts(rows, row, size, column, share),
        Form::List { columns } => table::list(rows, columns),
    }
}

/// The latest few values of `by`, a line each.
fn lines_by(rows: &[Row], by: &str, x: &str, y: &str, unit: Unit) -> Markup {
    const LINES: usize = 6;
    let mut lines: BTreeMap<String, Points> = BTreeMap::new();
    for row in rows {
        if let (Some(place), Some(value)) = (number(row, x), number(row, y)) {
            lines.entry(text(row, by).to_owned()).or_default().push((place as usize, value));
        }
    }
    let longest = lines.values().flatten().map(|(place, _)| *place).max().unwrap_or(0);
    let labels: Vec<String> = (0..=longest).map(|place| place.to_string()).collect();
    let lines: Vec<_> = lines.into_iter().collect();
    chart::lines(&labels, &lines[lines.len().saturating_sub(LINES)..], unit)
}
