//! Models as files of the dbt project: the SQL, and the yml with docs, contract and tests beside it.

use serde::Serialize;

use crate::model::{BearsOn, Build, Column, ColumnTest, Follows, Layer, Model, Role, Slices};
use crate::sql::{
    Ident, SqlType, Target, quote_identifier, quote_in_jinja_text, quote_jinja, render_expr, render_query,
};
use crate::{GENERATED, GeneratedFile};

/// Where one of Schoolbell's own models is defined.
pub(crate) fn source_of(model: &Model) -> &'static str {
    match model.id.layer {
        Layer::Staging => "metrics-sql/src/staging.rs",
        Layer::Intermediate => "metrics-sql/src/intermediate.rs",
        Layer::Mart => "metrics-sql/src/marts",
    }
}

/// Both files of a model that is defined in `source`; paths are relative to the repository's root.
pub(crate) fn files(model: &Model, source: &str) -> [GeneratedFile; 2] {
    let stem = format!("dbt/models/{}/{}", model.id.layer.folder(), model.id.name.as_str());
    let header = format!("{GENERATED}; edit {source} instead");
    [
        GeneratedFile { path: format!("{stem}.sql").into(), contents: sql(model, &header) },
        GeneratedFile { path: format!("{stem}.yml").into(), contents: yml(model, &header) },
    ]
}

fn sql(model: &Model, header: &str) -> String {
    let config: Vec<String> =
        config(model).into_iter().map(|(name, value)| format!("    {name}={value},\n")).collect();
    let config = config.concat();
    let before = match &model.build {
        // Not read by the query itself, but by what the build does around it.
        Build::FollowsLoads { .. } => {
            "-- depends_on: {{ ref('stg_loads') }}, {{ source('raw', 'loads') }}\n\n".to_owned()
        }
        Build::FollowsChanges(follows) => depends_on(model, follows),
        Build::GuardedTable { guard } => format!("{{{{ {guard}() }}}}\n\n"),
        _ => String::new(),
    };
    let query = render_query(&model.query(), &Target::Dbt);
    format!("-- {header}\n{{{{ config(\n{config}) }}}}\n\n{before}{query}\n")
}

/// The line that tells dbt of models that are followed but not read by the query.
fn depends_on(model: &Model, follows: &Follows) -> String {
    let read = model.reads();
    let followed = follows.models.iter().map(|followed| &followed.model);
    let refs: Vec<String> = followed
        .filter(|followed| !read.contains(followed))
        .map(|followed| format!("{{{{ ref({}) }}}}", quote_jinja(followed.name.as_str())))
        .collect();
    if refs.is_empty() { String::new() } else { format!("-- depends_on: {}\n\n", refs.join(", ")) }
}

/// The arguments of `config`, by name, as jinja.
fn config(model: &Model) -> Vec<(&'static str, String)> {
    let names =
        |names: &[Ident]| list(names.iter().map(|name| quote_jinja(&quote_identifier(name.as_str()))));
    let text = |text: &str| quote_jinja(text);
    let table = |materialized: &str, order_by| {
        vec![("materialized", text(materialized)), ("engine", text("MergeTree()")), ("order_by", order_by)]
    };
    let key = list(sorting_key(model).iter().map(|name| quote_jinja(name)));
    match &model.build {
        Build::Table | Build::GuardedTable { .. } => table("table", key),
        Build::View => vec![("materialized", text("view"))],
        Build::FollowsLoads { source } => {
            let mut config = table("follows_loads", key);
            config.extend([
                ("partition_by", text("toYYYYMM(event_time)")),
                // A few late events cost a granule each to find; small ones keep that cheap.
                ("settings", "{'index_granularity': 1024}".to_owned()),
                // Finds the rows of a replaced day.
                (
                    "indexes",
                    "[{'name': 'batch_dates', 'definition': 'batch_date TYPE set(0) GRANULARITY 1'}]"
                        .to_owned(),
                ),
                ("source_table", text(source.as_str())),
            ]);
            config
        }
        Build::Compared { day } => {
            let mut config = table("compared_table", key);
            config.push(("changed_by", names(std::slice::from_ref(day))));
            config
        }
        Build::FollowsChanges(follows) => {
            let mut config = table("follows_changes", key);
            if let Some(day) = partitions(model) {
                config.push(("partition_by", text(&format!("toYYYYMM({day})"))));
            }
            config.extend(follows_config(follows));
            if model.id.layer == Layer::Mart {
                // Readers see the former table until the new one is whole.
                config.push(("is_exchanged", "true".to_owned()));
            }
            config
        }
    }
}

/// The column whose months are partitions: of tables that grow with every day, so that a build that deletes what
/// changed touches the parts of few months.
fn partitions(model: &Model) -> Option<&str> {
    let first = model.sorted_by.first().map(Ident::as_str);
    let grows =
        model.columns.iter().any(|column| column.name.as_str() == "user_id" || column.ty == SqlType::Users);
    first.filter(|name| model.id.layer == Layer::Intermediate && grows && name.ends_with("_date"))
}

fn follows_config(follows: &Follows) -> Vec<(&'static str, String)> {
    let mut config = vec![
        ("follows", list(follows.models.iter().map(|followed| quote_jinja(followed.model.name.as_str())))),
        (
            "changed_by",
            list(follows.changed_by.iter().map(|name| quote_jinja(&quote_identifier(name.as_str())))),
        ),
    ];
    let bears_on = follows.models.iter().filter_map(|followed| {
        let keys = match followed.bears_on {
            BearsOn::DaysAfter(0) => return None,
            BearsOn::DaysAfter(days) => format!("arrayMap(days -> changed_date + days, range({}))", days + 1),
            BearsOn::LaterDays => "later_days".to_owned(),
            BearsOn::Periods => "periods".to_owned(),
            BearsOn::Cohorts => "cohorts".to_owned(),
            BearsOn::Users => "users".to_owned(),
            BearsOn::Nothing => "[]".to_owned(),
        };
        Some(format!("{}: {}", quote_jinja(followed.model.name.as_str()), quote_jinja(&keys)))
    });
    let bears_on: Vec<String> = bears_on.collect();
    if !bears_on.is_empty() {
        config.push(("bears_on", format!("{{{}}}", bears_on.join(", "))));
    }
    if follows.models.iter().any(|followed| followed.bears_on == BearsOn::Cohorts) {
        config.push(("changed_keys", quote_jinja("changed_cohorts")));
    }
    if follows.is_followed {
        config.push(("is_followed", "true".to_owned()));
    }
    if follows.is_append_only {
        config.push(("is_append_only", "true".to_owned()));
    }
    match follows.slices {
        Slices::Events => {}
        Slices::Rows(day) => config.push(("sliced_by", quote_jinja(day))),
        Slices::Users(day) => config.extend([
            ("sliced_by", quote_jinja(day)),
            ("slice_weight", quote_jinja("sum(bitmapCardinality(users))")),
        ]),
        Slices::None => config.push(("sliced_by", quote_jinja("nothing"))),
    }
    config
}

/// What the table of a model is sorted by, as SQL.
fn sorting_key(model: &Model) -> Vec<String> {
    let key = model.sorted_by.iter().map(|name| quote_identifier(name.as_str()));
    // Events by the date first: whatever day is looked for, only its granules are read.
    let date = matches!(model.build, Build::FollowsLoads { .. }).then(|| "toDate(event_time)".to_owned());
    date.into_iter().chain(key).collect()
}

/// A list in jinja.
fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn yml(model: &Model, header: &str) -> String {
    let file = File { version: 2, models: [describe(model)] };
    let body = serde_yaml_ng::to_string(&file).expect("strings, lists and maps are YAML");
    format!("# {header}\n{body}")
}

#[derive(Serialize)]
struct File {
    version: u8,
    models: [ModelYml; 1],
}

#[derive(Serialize)]
struct ModelYml {
    name: String,
    description: String,
    config: ModelConfig,
    #[serde(skip_serializing_if = "Vec::is_empty", with = "serde_yaml_ng::with::singleton_map_recursive")]
    data_tests: Vec<Test>,
    columns: Vec<ColumnYml>,
}

#[derive(Serialize)]
struct ModelConfig {
    contract: Contract,
    meta: ModelMeta,
}

#[derive(Serialize)]
struct Contract {
    enforced: bool,
}

#[derive(Serialize)]
struct ModelMeta {
    grain: Vec<String>,
}

#[derive(Serialize)]
struct ColumnYml {
    name: String,
    data_type: String,
    description: String,
    config: ColumnConfig,
    #[serde(skip_serializing_if = "Vec::is_empty", with = "serde_yaml_ng::with::singleton_map_recursive")]
    data_tests: Vec<Test>,
}

#[derive(Serialize)]
struct ColumnConfig {
    meta: ColumnMeta,
}

#[derive(Serialize)]
struct ColumnMeta {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
}

/// Tests of the project, in `dbt/tests/generic`, and dbt's own.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    UniqueCombination { name: String, arguments: Columns },
    Holds { name: String, arguments: Condition },
    Within { arguments: Bounds },
    AcceptedValues { arguments: Values },
}

#[derive(Serialize)]
struct Columns {
    columns: Vec<String>,
    #[serde(flatten)]
    rows: RowsTested,
}

#[derive(Serialize)]
struct Condition {
    condition: String,
    #[serde(flatten)]
    rows: RowsTested,
}

/// Which rows of a model are tested: all, or those that its last build bears on.
#[derive(Serialize, Clone)]
struct RowsTested {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    of_last_build: bool,
    /// How a model that follows changes tells them apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed_by: Vec<String>,
}

#[derive(Serialize)]
struct Bounds {
    least: i64,
    most: i64,
}

#[derive(Serialize)]
struct Values {
    values: Vec<String>,
}

fn describe(model: &Model) -> ModelYml {
    let name = model.id.name.as_str().to_owned();
    let grain: Vec<String> = model.grain.iter().map(|column| column.as_str().to_owned()).collect();
    // Tests that read all of history every night would cost more than the build.
    let rows = match &model.build {
        Build::FollowsLoads { .. } => RowsTested { of_last_build: true, changed_by: Vec::new() },
        Build::FollowsChanges(follows) => {
            // Of what is only added, the rows themselves are known.
            let changed_by = if follows.is_append_only { &model.grain } else { &follows.changed_by };
            let changed_by = changed_by.iter().map(|name| quote_identifier(name.as_str())).collect();
            RowsTested { of_last_build: true, changed_by }
        }
        Build::Table | Build::GuardedTable { .. } | Build::Compared { .. } | Build::View => {
            RowsTested { of_last_build: false, changed_by: Vec::new() }
        }
    };
    let unique = Test::UniqueCombination {
        name: format!("{name}__grain_is_unique"),
        arguments: Columns { columns: unique_columns(model), rows: rows.clone() },
    };
    let holds = model.checks.iter().map(|check| Test::Holds {
        name: format!("{name}__{}", check.name),
        arguments: Condition { condition: render_expr(&check.condition, &Target::Dbt), rows: rows.clone() },
    });
    let tests = std::iter::once(unique).chain(holds);
    ModelYml {
        description: quote_in_jinja_text(&model.description),
        // To check a view's columns is to run it.
        config: ModelConfig {
            contract: Contract { enforced: model.build != Build::View },
            meta: ModelMeta { grain },
        },
        data_tests: if model.build == Build::View { Vec::new() } else { tests.collect() },
        columns: model.columns.iter().map(describe_column).collect(),
        name,
    }
}

/// The columns of the grain, as SQL: in the order of the table's key, which says the same where it has no others. So
/// they are counted as they are read, without memory of them.
fn unique_columns(model: &Model) -> Vec<String> {
    let is_key = model.sorted_by.len() == model.grain.len()
        && model.sorted_by.iter().all(|column| model.grain.contains(column));
    if is_key {
        sorting_key(model)
    } else {
        model.grain.iter().map(|column| quote_identifier(column.as_str())).collect()
    }
}

fn describe_column(column: &Column) -> ColumnYml {
    let description = match column.unit {
        Some(unit) => format!("{} Unit: {unit}.", column.doc),
        None => column.doc.clone(),
    };
    let role = match column.role {
        Role::Key => "key",
        Role::Measure => "measure",
        Role::Ratio => "ratio",
        Role::Attribute => "attribute",
    };
    let tests = column.tests.iter().map(|test| match test {
        ColumnTest::OneOf(values) => Test::AcceptedValues { arguments: Values { values: values.clone() } },
        ColumnTest::Within(least, most) => Test::Within { arguments: Bounds { least: *least, most: *most } },
    });
    ColumnYml {
        name: column.name.as_str().to_owned(),
        data_type: column.ty.to_string(),
        description: quote_in_jinja_text(&description),
        config: ColumnConfig { meta: ColumnMeta { role, unit: column.unit } },
        data_tests: tests.collect(),
    }
}
