//! Definitions and their errors.

use std::fmt::Write;

use super::*;
use crate::{Plain, Target, render};

const GOOD: &str = r#"
[[metric]]
name = "weekly_openers"
description = "Users who opened a lesson, over a week."
entity = "events"
measure = "users"
filter = [{ column = "event_type", is = ["lesson_opened", "it's {{"] }, { property = "lesson", is_not = "7" }]
dimensions = ["platform"]
window_days = 7

[[metric]]
name = "hints_per_attempt"
description = "Hints used by attempt at a task."
numerator = { entity = "task_results", measure = "sum", of = "hints_used", filter = [{ column = "score", at_most = 1 }] }
denominator = { entity = "task_results", measure = "count" }
dimensions = ["course_id"]

[[metric]]
name = "yearly_plans"
description = "Money of yearly plans."
entity = "money"
measure = "sum"
of = "net_revenue"
filter = [{ column = "plan", is = "year" }]
"#;

#[test]
fn definitions_become_models() {
    let target = Target::Plain(Plain::with_prefix("acme_", "2026-03-31"));
    let mut shown = format!("{GOOD}\n");
    for metric in read("metrics.toml", GOOD).unwrap() {
        for model in models(&metric) {
            writeln!(shown, "-- {}\n{}\n", model.id.name.as_str(), render(&model, &target)).unwrap();
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_allowed() {
    let bad = [
        "metric = 3",
        "[[metric]]\nname = \"a\"\n",
        "[[metric]]\nname = \"a\"\ndescription = \"A.\"\nentiy = \"events\"\n",
        "[[metric]]\nname = \"Bad name\"\ndescription = \" \"\nentity = \"event\"\nmeasure = \"count\"\n",
        "[[metric]]\nname = \"activity\"\ndescription = \"A.\"\nentity = \"events\"\nmeasure = \"median\"\n",
        "[[metric]]\nname = \"activity_daily\"\ndescription = \"A.\"\nentity = \"events\"\nmeasure = \"users\"\nof = \"user_id\"\nwindow_days = 400\n",
        "[[metric]]\nname = \"segment\"\ndescription = \"A.\"\nentity = \"task_results\"\nmeasure = \"sum\"\nof = \"task_id\"\n",
        "[[metric]]\nname = \"paid\"\ndescription = \"A.\"\nentity = \"purchases\"\nmeasure = \"sum\"\nof = \"amount\"\n",
        "[[metric]]\nname = \"a\"\ndescription = \"A.\"\nentity = \"sessions\"\nmeasure = \"distinct\"\nof = \"device\"\ndimensions = [\"plan\", \"os\", \"os\"]\n",
        "[[metric]]\nname = \"a\"\ndescription = \"A.\"\nnumerator = { entity = \"events\", measure = \"count\" }\n",
        "[[metric]]\nname = \"a\"\ndescription = \"A.\"\nentity = \"task_results\"\nmeasure = \"count\"\nfilter = [{ column = \"is_correct\", is = \"yes\" }, { column = \"task_id\", at_least = 3 }, { property = \"x\", is = \"1\" }, { column = \"score\" }]\n",
        "[[metric]]\nname = \"a\"\ndescription = \"A.\"\nentity = \"events\"\nmeasure = \"count\"\n\n[[metric]]\nname = \"a\"\ndescription = \"A.\"\nentity = \"events\"\nmeasure = \"count\"\n",
    ];
    let mut said = String::new();
    for text in bad {
        for error in read("metrics.toml", text).unwrap_err() {
            writeln!(said, "{error}").unwrap();
        }
        said.push('\n');
    }
    insta::assert_snapshot!(said);
}
