//! Models as files of the dbt project: the SQL, and the yml with docs, contract and tests beside it.

use serde::Serialize;

use crate::model::{Build, Column, ColumnTest, Layer, Model, Role};
use crate::sql::{Target, quote_identifier, quote_jinja, render_expr, render_query};
use crate::{GENERATED, GeneratedFile};

/// Both files of a model, relative to the repository's root.
pub(crate) fn files(model: &Model) -> [GeneratedFile; 2] {
    let stem = format!("dbt/models/{}/{}", model.id.layer.folder(), model.id.name.as_str());
    let source = match model.id.layer {
        Layer::Staging => "staging.rs",
        Layer::Intermediate => "intermediate.rs",
        Layer::Mart => "marts",
    };
    let header = format!("{GENERATED}; edit metrics-sql/src/{source} instead");
    [
        GeneratedFile { path: format!("{stem}.sql").into(), contents: sql(model, &header) },
        GeneratedFile { path: format!("{stem}.yml").into(), contents: yml(model, &header) },
    ]
}

fn sql(model: &Model, header: &str) -> String {
    let config = config(model).join("\n    ");
    let query = render_query(&model.query(), &Target::Dbt);
    format!("-- {header}\n{{{{ config(\n    {config}\n) }}}}\n\n{query}\n")
}

/// The arguments of `config`, each with its comma.
fn config(model: &Model) -> Vec<String> {
    let sorted_by: Vec<String> =
        model.sorted_by.iter().map(|name| quote_jinja(&quote_identifier(name.as_str()))).collect();
    match model.build {
        Build::Table => vec![
            "materialized='table',".to_owned(),
            "engine='MergeTree()',".to_owned(),
            format!("order_by=[{}],", sorted_by.join(", ")),
        ],
        Build::View => vec!["materialized='view',".to_owned()],
    }
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
    #[serde(with = "serde_yaml_ng::with::singleton_map_recursive")]
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
}

#[derive(Serialize)]
struct Condition {
    condition: String,
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
    let quoted = grain.iter().map(|column| quote_identifier(column)).collect();
    let unique = Test::UniqueCombination {
        name: format!("{name}__grain_is_unique"),
        arguments: Columns { columns: quoted },
    };
    let holds = model.checks.iter().map(|check| Test::Holds {
        name: format!("{name}__{}", check.name),
        arguments: Condition { condition: render_expr(&check.condition, &Target::Dbt) },
    });
    ModelYml {
        description: model.description.clone(),
        config: ModelConfig { contract: Contract { enforced: true }, meta: ModelMeta { grain } },
        data_tests: std::iter::once(unique).chain(holds).collect(),
        columns: model.columns.iter().map(describe_column).collect(),
        name,
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
        description,
        config: ColumnConfig { meta: ColumnMeta { role, unit: column.unit } },
        data_tests: tests.collect(),
    }
}
