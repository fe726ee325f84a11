//! The page of made-up rows: complete, escaped, self-contained.

use serde_json::json;

use super::*;

fn rows(rows: &serde_json::Value) -> Vec<Row> {
    let rows = rows.as_array().unwrap();
    rows.iter().map(|row| row.as_object().unwrap().clone()).collect()
}

fn as_of(date: &str) -> AsOf {
    AsOf { dates: date.to_owned(), built: date.to_owned(), warnings: vec![date.to_owned()] }
}

fn answers(answer: impl Fn(&Part) -> serde_json::Value) -> Vec<(Part, Vec<Row>)> {
    parts(Range::default()).into_iter().map(|part| (part.clone(), rows(&answer(&part)))).collect()
}

#[test]
fn every_part_has_its_place_also_without_figures() {
    let answers = answers(|_| json!([]));
    let page = page(&as_of("2026-03-31"), &answers);
    for (part, _) in &answers {
        assert!(page.contains(&format!("<h2>{}</h2>", part.title())), "{}", part.title());
    }
    assert_eq!(page.matches("No figures yet.").count(), answers.len());
}

#[test]
fn names_from_outside_are_shown_as_they_are_and_run_nothing() {
    let hostile = "<script>alert('x')</script>\"&{{";
    let answers = answers(|part| match part.form {
        Form::List { columns } => json!([columns
            .iter()
            .map(|(name, unit)| (
                (*name).to_owned(),
                if *unit == Unit::Text { json!(hostile) } else { json!(1) }
            ))
            .collect::<Row>()]),
        _ => json!([]),
    });
    let page = page(&as_of(hostile), &answers);
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt;&quot;&amp;{{"), "{page}");
}

#[test]
fn lines_cohorts_and_lists_are_drawn_and_nothing_is_fetched() {
    let answers = answers(|part| match part.form {
        Form::Lines { x, lines, .. } => json!(
            (1..=3)
                .map(|day| {
                    let mut row = Row::new();
                    row.insert(x.to_owned(), json!(format!("2026-03-0{day}")));
                    row.extend(lines.iter().map(|line| ((*line).to_owned(), json!(day * 1000))));
                    row
                })
                .collect::<Vec<_>>()
        ),
        Form::LinesBy { by, x, y, .. } => {
            json!([{ by: "2026-03-01", x: 0, y: 1.5 }, { by: "2026-03-01", x: 1, y: 2.5 }])
        }
        Form::Cohorts { row, size, column, share } => {
            json!([{ row: "2026-03-02", size: 40, column: 0, share: 1 }, { row: "2026-03-02", size: 40, column: 1, share: 0.25 }])
        }
        Form::List { columns } => json!([columns
            .iter()
            .map(|(name, unit)| (
                (*name).to_owned(),
                if *unit == Unit::Text { json!("a") } else { json!(null) }
            ))
            .collect::<Row>()]),
    });
    let page = page(&as_of("2026-03-31"), &answers);
    assert_eq!(page.matches("<svg").count(), 7);
    assert!(page.contains("3,000"), "the latest figures");
    assert!(page.contains("25.0 %") && page.contains("100.0 %"), "cohorts");
    assert!(page.contains("<td>–</td>"), "NULL is a dash");
    for fetched in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}
