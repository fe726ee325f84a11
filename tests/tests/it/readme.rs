//! The documentation's commands: README.md's first page run as it stands, and all others that they exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use integration_tests::world::{Finished, World, repository};
use serde_json::json;

/// The section whose commands are run.
const SECTION: &str = "## Load your own events";

#[test]
fn the_first_page_can_be_typed_in() {
    let world = World::new("readme");
    let page = fs::read_to_string(repository().join("README.md")).unwrap();
    let mut done = Vec::new();
    for block in shell_blocks(&page) {
        // What is run elsewhere than in the shell ends a script.
        let mut script = String::new();
        for line in block.lines() {
            let command = line.split(" # ").next().unwrap().trim_end();
            if let Some(arguments) = command.strip_prefix("cargo xtask dbt -- ") {
                run(&world, &std::mem::take(&mut script));
                // Its own folders for what dbt writes, beside those of whoever works on the project now.
                let own = ["--target-path", &world.path("target"), "--log-path", &world.path("logs")];
                let arguments = arguments.split(' ').chain(own);
                world.xtask(&["dbt", "--"].into_iter().chain(arguments).collect::<Vec<_>>());
            } else if command.starts_with("cargo install ") {
                assert!(command.ends_with("--locked --path cli"), "{command}");
                assert!(repository().join("cli/Cargo.toml").exists());
            } else if command != "schoolbell warehouse start" {
                // The test has a server of its own.
                script += line;
                script += "\n";
            }
            done.push(command.to_owned());
        }
        run(&world, &script);
    }
    for command in ["schoolbell init", "cargo xtask dbt -- build", "schoolbell report --out report.html"] {
        assert!(done.iter().any(|line| line == command), "{SECTION} has `{command}`");
    }

    let mart =
        "SELECT activity_date, dau FROM {marts}.fct_activity_daily WHERE segment = 'overall' AND dau > 0";
    assert_eq!(world.query(mart), [json!(["2026-03-01", 1])], "the example's user");
    assert!(fs::read_to_string(world.path("report.html")).unwrap().contains(r#"<script id="data""#));
    let days = world.query("SELECT uniqExact(batch_date) FROM {raw}.events");
    assert_eq!(days, [json!([8])], "the example's day, and the generated ones");
}

/// The section's blocks of shell commands.
fn shell_blocks(page: &str) -> impl Iterator<Item = &str> {
    let (_, section) = page.split_once(SECTION).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap())
}

/// Runs a script in the test's folder, with `schoolbell` in the PATH; it ends at the first command that fails.
fn run(world: &World, script: &str) {
    let finished = Finished::of(world.with_schoolbell("sh").args(["-euc", script]), &[script]);
    assert_eq!(finished.code, 0, "{script}\n{}", finished.stderr);
}

#[test]
fn the_documentation_names_commands_that_exist() {
    let world = World::new("commands");
    let root = repository();
    let mut pages: Vec<_> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "dbt/README.md"]
        .map(|page| root.join(page))
        .into();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));

    let commands: BTreeSet<String> = pages.iter().flat_map(|page| commands_of(page)).collect();
    assert!(commands.len() > 10, "{commands:?}");
    let mut wrong = Vec::new();
    for command in &commands {
        let help = world.run(&command.split(' ').chain(["--help"]).collect::<Vec<_>>());
        if help.code != 0 {
            wrong.push(format!("schoolbell {command}: {}", help.stderr.lines().next().unwrap_or_default()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What follows `schoolbell` in a page's code: a command, and its own command or first argument in lower case.
fn commands_of(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let starts = ["`schoolbell ", "\nschoolbell "];
    let found = starts.iter().flat_map(|start| text.split(start).skip(1));
    let words = found.map(|rest| {
        let line = rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-' || c == ' ')).next().unwrap();
        let words: Vec<&str> =
            line.split(' ').take(2).take_while(|word| word.starts_with(char::is_alphabetic)).collect();
        words.join(" ")
    });
    words.filter(|command| !command.is_empty()).collect()
}
