//! Names that hurt whatever does not quote them well come out of everything that shows them as they went in: loads,
//! marts, `metrics query` in every format, the report, dbt's docs, and metrics that users define with them.

use std::collections::BTreeSet;
use std::fs;

use integration_tests::days::{Days, Line, dbt_project, hostile_names};
use integration_tests::world::World;
use metrics_sql::model::{Build, Layer};
use metrics_sql::{custom, generated_files};
use serde_json::{Value, json};

use crate::report;

const DAY: &str = "2026-03-01";
/// Late enough for every window of an A/B test to have ended.
const LAST_DAY: &str = "2026-03-31";
/// A property that is named as badly as its values are.
const PROPERTY: &str = "{{ it's \\ \"a\" %}";

/// The hostile names of everything that has one.
struct Names {
    platforms: Vec<String>,
    plans: Vec<String>,
    courses: Vec<String>,
    experiments: Vec<String>,
    variants: Vec<String>,
}

impl Names {
    fn new() -> Names {
        let at_most = hostile_names;
        Names {
            platforms: at_most(64),
            plans: at_most(64),
            courses: at_most(256),
            experiments: at_most(256),
            variants: at_most(128),
        }
    }

    /// Every name once: two users in a variant of its own and two in the control of an experiment of its own, a task
    /// of its own course, a purchase of its own plan, all on its own platform.
    fn days(&self) -> Days {
        let mut days = Days::default();
        days.lines_mut(DAY.parse().unwrap());
        days.lines_mut(LAST_DAY.parse().unwrap());
        let mut add = |event_type, user: &str, time: &str, platform: &str, properties: Value| {
            let line = Line::new(event_type, user, &format!("{DAY}T{time}Z"), properties);
            days.add(&Line { platform: platform.to_owned(), ..line });
        };
        for (place, platform) in self.platforms.iter().enumerate() {
            // The longest users' names are as long as courses'.
            let user = &self.courses[place];
            let [plan, course, experiment, variant] =
                [&self.plans, &self.courses, &self.experiments, &self.variants].map(|names| &names[place]);
            let task = json!({ "task_id": course, "course_id": course, "is_correct": true, "attempt": 1 });
            add("task_result", user, "10:00:00", platform, task);
            let purchase = json!({
                "purchase_id": course, "plan": plan, "amount": "10.00", "currency": "USD",
                "period_start": DAY, "period_end": LAST_DAY,
            });
            add("purchase", user, "11:00:00", platform, purchase);
            add("opened", user, "12:00:00", platform, json!({ PROPERTY: course }));
            for (variant, number) in [(&**variant, 0), (variant, 1), ("control", 2), ("control", 3)] {
                let assigned = json!({ "experiment_id": experiment, "variant": variant });
                add("ab_test_assignment", &format!("{number} of {place}"), "09:00:00", platform, assigned);
            }
        }
        days.add(&Line::new("opened", "someone", &format!("{LAST_DAY}T09:00:00Z"), json!({})));
        days
    }

    /// Metrics that users define with such names, each of which must be quoted in SQL, jinja and YAML.
    fn definitions(&self) -> String {
        let list = |names: &[String]| json!(names).to_string();
        let said = format!("All of {{{{ these }}}} {{% raw %}} {{# here #}}: {}", self.courses.join(" "));
        format!(
            "[[metric]]\nname = \"hostile_attempts\"\ndescription = {said}\nentity = \"task_results\"\n\
             measure = \"count\"\nfilter = [{{ column = \"course_id\", is = {courses} }}]\n\
             dimensions = [\"course_id\", \"platform\"]\n\n\
             [[metric]]\nname = \"hostile_openers\"\ndescription = \"Who {{{{ opened }}}}.\"\nentity = \"events\"\n\
             measure = \"users\"\nfilter = [{{ property = {property}, is = {courses} }}]\n\n\
             [[metric]]\nname = \"hostile_nothing\"\ndescription = \"None.\"\nentity = \"purchases\"\n\
             measure = \"count\"\nfilter = [{{ column = \"plan\", is_not = {plans} }}]\n",
            said = json!(said),
            property = json!(PROPERTY),
            courses = list(&self.courses),
            plans = list(&self.plans),
        )
    }
}

#[test]
fn hostile_names_come_out_as_they_went_in() {
    let names = Names::new();
    // Twenty-eight names and the longest of each length.
    assert!(names.platforms.len() > 25, "{}", names.platforms.len());
    let world = World::new("hostile");
    names.days().load(&world);

    let definitions = names.definitions();
    fs::write(world.path("metrics.toml"), &definitions).unwrap();
    let project = dbt_project(&world, "from_currency,to_currency,valid_from,rate\n");
    let own = custom::read("metrics.toml", &definitions).unwrap();
    for file in generated_files(&own) {
        let path = world.folder().join(&file.path);
        if !path.exists() {
            fs::write(path, file.contents).unwrap();
        }
    }
    world.dbt(&["build", "--project-dir", &project]);

    let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
    for (metric, by, column, expected) in [
        ("dau", "platform", "platform", set(&names.platforms)),
        ("attempts", "platform", "platform", set(&names.platforms)),
        ("attempts", "course", "course", set(&names.courses[..names.platforms.len()])),
        ("fct_revenue.gross_revenue", "plan", "plan", set(&names.plans)),
        ("cohort_subscribers", "plan", "plan", set(&names.plans)),
        ("fct_ab_test_results.users", "", "experiment_id", set(&names.experiments[..names.platforms.len()])),
        ("fct_ab_test_results.users", "", "variant", set(&names.variants[..names.platforms.len()])),
        ("hostile_attempts", "course_id", "course_id", set(&names.courses[..names.platforms.len()])),
        ("hostile_attempts", "platform", "platform", set(&names.platforms)),
    ] {
        let found = every_format_shows(&world, metric, by, column);
        assert_eq!(found, expected, "{metric} by {by}");
    }
    let total = |metric: &str| {
        let rows = query(&world, &[metric, "--from", DAY, "--to", DAY]);
        rows.iter().map(|row| row[metric].as_u64().unwrap()).sum::<u64>()
    };
    let all = names.platforms.len() as u64;
    assert_eq!(
        [total("hostile_attempts"), total("hostile_openers"), total("hostile_nothing")],
        [all, all, 0]
    );

    the_report_shows(&world, &names);
    the_docs_say(&world, &project, &own);
}

/// The rows that `metrics query` answers.
fn query(world: &World, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["metrics", "query", "--definitions", "metrics.toml", "--output", "json"], arguments];
    let answer: Value = serde_json::from_str(&world.succeed(&arguments.concat())).unwrap();
    answer["rows"].as_array().unwrap().clone()
}

/// The values of a column by which a metric is read, which JSON, CSV and the table for people agree on; what is
/// unknown left out.
fn every_format_shows(world: &World, metric: &str, by: &str, column: &str) -> BTreeSet<String> {
    let mut arguments = vec![metric];
    if !by.is_empty() {
        arguments.extend(["--by", by]);
    }
    let rows = query(world, &arguments);
    let of_json: BTreeSet<String> = rows
        .iter()
        .map(|row| row[column].as_str().unwrap().to_owned())
        .filter(|name| !name.is_empty())
        .collect();

    let text = |format: &str| {
        let fixed = ["metrics", "query", "--definitions", "metrics.toml", "--format", format];
        world.succeed(&[&fixed, &arguments[..]].concat())
    };
    let lines = parsed_csv(&text("csv"));
    let place = lines[0].iter().position(|name| name == column).unwrap();
    let of_csv = lines[1..].iter().map(|line| line[place].clone()).filter(|name| !name.is_empty());
    assert_eq!(of_csv.collect::<BTreeSet<_>>(), of_json, "{metric} as CSV");

    let table = text("table");
    for name in &of_json {
        assert!(table.contains(&**name), "{metric} as a table lacks {name:?}:\n{table}");
    }
    of_json
}

/// The lines of CSV as RFC 4180 has it.
fn parsed_csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut value) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut signs) = (false, text.chars().peekable());
    while let Some(sign) = signs.next() {
        match sign {
            '"' if is_quoted && signs.peek() == Some(&'"') => value.extend(signs.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(std::mem::take(&mut value)),
            '\n' if !is_quoted => {
                line.push(std::mem::take(&mut value));
                lines.push(std::mem::take(&mut line));
            }
            _ => value.push(sign),
        }
    }
    assert!(!is_quoted && line.is_empty() && value.is_empty(), "{text}");
    lines
}

/// The report holds the names as data, and a browser that opens it runs nothing of them.
fn the_report_shows(world: &World, names: &Names) {
    let report = world.path("report.html");
    world.succeed(&["report", "--out", &report]);
    let data = report::embedded_data(&fs::read_to_string(&report).unwrap());
    let values = |column: &str| -> BTreeSet<String> {
        let values = data["tables"]["experiments"]["columns"][column]["values"].as_array().unwrap();
        values.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let shown = |names: &[String], column: &str| names[..28].iter().all(|name| values(column).contains(name));
    assert!(shown(&names.experiments, "experiment_id") && shown(&names.variants, "variant"), "{data}");
    let seen = report::open(&report, &world.path("screenshots"));
    assert_eq!(seen["problems"], json!([]));
}

/// dbt's docs are complete: every model in both files, with the words of its definition, also where these could open
/// jinja; and the warehouse's comments say the same.
fn the_docs_say(world: &World, project: &str, own: &[custom::CustomMetric]) {
    world.dbt(&["docs", "generate", "--project-dir", project]);
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(world.folder().join("dbt-target").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (manifest, catalog) = (read("manifest.json"), read("catalog.json"));
    assert_eq!(catalog["errors"], Value::Null);
    // Who reads the marts is documented of each of them.
    for exposure in ["report", "metrics_query"] {
        let exposure = &manifest["exposures"][format!("exposure.schoolbell.{exposure}")];
        let read = exposure["depends_on"]["nodes"].as_array().unwrap();
        for mart in metrics_sql::models().iter().filter(|model| model.id.layer == Layer::Mart) {
            let id = format!("model.schoolbell.{}", mart.id.name.as_str());
            assert!(read.contains(&json!(id)), "{} does not read {id}", exposure["name"]);
        }
    }
    let models = metrics_sql::models().into_iter().chain(own.iter().flat_map(custom::models));
    for model in models {
        let name = model.id.name.as_str();
        let id = format!("model.schoolbell.{name}");
        let documented = &manifest["nodes"][&id];
        assert_eq!(documented["description"], json!(model.description), "{name}");
        let in_catalog = catalog["nodes"][&id]["columns"].as_object().unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(in_catalog.len(), model.columns.len(), "{name}");
        let (database, table) = (&documented["schema"], &documented["alias"]);
        let comments = world.query(&format!(
            "SELECT name, comment FROM system.columns WHERE database = '{}' AND table = '{}'",
            database.as_str().unwrap(),
            table.as_str().unwrap()
        ));
        for column in &model.columns {
            let column_name = column.name.as_str();
            let said = documented["columns"][column_name]["description"].as_str().unwrap();
            assert!(said.starts_with(&*column.doc), "{name}.{column_name}: {said}");
            if model.build != Build::View {
                let comment = comments.iter().find(|row| row[0] == column_name).unwrap();
                assert_eq!(comment[1], json!(said), "{name}.{column_name}");
            }
        }
    }
}
