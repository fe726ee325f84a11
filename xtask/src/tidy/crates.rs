//! Crates import downwards only.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repo;
use crate::run::{cargo, output};

/// The workspace's crates from the bottom to the top. A crate may use those of the layers below its own, also in its
/// tests and benchmarks.
const LAYERS: &[&[&str]] = &[
    &["event-schema", "local-clickhouse"],
    &["event-source", "event-generator", "metrics-sql"],
    &["event-parser", "report"],
    &["event-mapping"],
    &["ch-sink"],
    &["schoolbell"],
    &["integration-tests", "xtask"],
];

/// A line for each import that goes sideways or upwards.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let metadata: Value = serde_json::from_str(&output(&mut metadata, repo::CARGO)?)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists packages")?;
    Ok(broken(packages.iter().map(|package| {
        let uses = package["dependencies"].as_array().into_iter().flatten();
        // The workspace's own crates have a path.
        let uses = uses.filter(|dependency| dependency["path"].is_string()).filter_map(name);
        (name(package).unwrap_or_default(), uses.collect())
    })))
}

fn name(package: &Value) -> Option<&str> {
    package["name"].as_str()
}

/// What is wrong with these crates, each with those that it uses.
fn broken<'a>(crates: impl Iterator<Item = (&'a str, Vec<&'a str>)>) -> Vec<String> {
    let layer_of = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let mut broken = Vec::new();
    for (user, uses) in crates {
        let Some(layer) = layer_of(user) else {
            broken.push(format!("the crate {user} has no layer: give it one in xtask/src/tidy/crates.rs"));
            continue;
        };
        // A crate that has no layer is reported by itself.
        let not_below = uses.iter().filter(|used| layer_of(used).is_some_and(|of_used| of_used >= layer));
        broken.extend(not_below.map(|used| {
            format!(
                "{user} uses {used}, which is not in a layer below it: move what it needs down, or change the layers \
                 in xtask/src/tidy/crates.rs"
            )
        }));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn imports_upwards_and_sideways_are_found() {
        let crates = [
            ("event-schema", vec![]),
            ("event-parser", vec!["event-schema", "event-generator"]),
            ("event-generator", vec!["event-schema", "event-source"]),
            ("event-source", vec!["ch-sink"]),
            ("new-crate", vec!["schoolbell"]),
        ];
        let broken = broken(crates.into_iter());
        let begins: Vec<_> = broken.iter().map(|line| line.split([',', ':']).next().unwrap()).collect();
        assert_eq!(
            begins,
            [
                "event-generator uses event-source",
                "event-source uses ch-sink",
                "the crate new-crate has no layer"
            ]
        );
    }
}
