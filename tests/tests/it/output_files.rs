//! Files that commands write are whole or not there, and nobody's file is lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use integration_tests::days::Line;
use integration_tests::world::{Finished, World, limited};
use serde_json::json;

/// Loads a day with a rejected line of some 60,000 bytes.
fn load_rejects(world: &World) {
    let good = Line::new("lesson_opened", "u", "2026-03-01T12:00:00Z", json!({}));
    fs::write(world.path("day.jsonl"), format!("{good}\n{}\n", "x".repeat(60_000))).unwrap();
    world.load("2026-03-01", &["--max-reject-ratio", "1", "day.jsonl"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort_unstable();
    names
}

/// A limit on the size of files stands for a disk that is full.
#[test]
fn an_export_that_cannot_be_finished_leaves_the_former_one() {
    let world = World::new("whole_export");
    load_rejects(&world);
    fs::create_dir(world.path("out")).unwrap();
    fs::write(world.path("out/bad.jsonl"), "former").unwrap();
    let export = ["rejects", "export", "--batch-date", "2026-03-01", "--out", "out/bad.jsonl"];
    let mut command = world.schoolbell();
    command.args(export);
    // Blocks of 512 bytes, and a signal that is ignored, so that writing fails.
    let mut command = limited("trap '' XFSZ && ulimit -f 16", &command);
    let finished = Finished::of(&mut command, &export);
    assert_ne!(finished.code, 0);
    assert!(
        finished.stderr.contains("bad.jsonl") || finished.stderr.contains("rejected lines"),
        "{}",
        finished.stderr
    );
    assert_eq!(names(Path::new(&world.path("out"))), ["bad.jsonl"]);
    assert_eq!(fs::read_to_string(world.path("out/bad.jsonl")).unwrap(), "former");

    world.succeed(&export);
    assert_eq!(names(Path::new(&world.path("out"))), ["bad.jsonl", "bad.jsonl.origins"]);
    assert_eq!(fs::metadata(world.path("out/bad.jsonl")).unwrap().len(), 60_001);
}

#[test]
fn an_output_file_may_be_a_link_or_a_device_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new("output_links");
    load_rejects(&world);
    fs::create_dir(world.path("there")).unwrap();
    fs::write(world.path("there/bad.jsonl"), "former").unwrap();
    fs::set_permissions(world.path("there/bad.jsonl"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("there/bad.jsonl", world.path("link.jsonl")).unwrap();
    let export = |out: &str| world.run(&["rejects", "export", "--batch-date", "2026-03-01", "--out", out]);
    assert_eq!(export("link.jsonl").code, 0);
    assert!(fs::symlink_metadata(world.path("link.jsonl")).unwrap().is_symlink());
    let written = fs::metadata(world.path("there/bad.jsonl")).unwrap();
    assert_eq!((written.len(), written.permissions().mode() & 0o777), (60_001, 0o640));
    // A new file is as any that a program makes.
    fs::write(world.path("usual"), "").unwrap();
    assert_eq!(export("new.jsonl").code, 0);
    let mode = |name: &str| fs::metadata(world.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("new.jsonl"), mode("usual"));
    let refused = export("nowhere/bad.jsonl");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("nowhere/bad.jsonl"), "{}", refused.stderr);
}

#[test]
fn generated_days_are_replaced_only_by_force() {
    let world = World::new("generate_again");
    let generate = ["generate", "--start", "2026-03-01", "--days", "1", "--users", "20", "--out", "days"];
    world.succeed(&generate);
    fs::write(world.path("days/2026-03-01.jsonl"), "mine").unwrap();
    let refused = world.run(&generate);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    for said in ["2026-03-01.jsonl is there already", "--force"] {
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(world.path("days/2026-03-01.jsonl")).unwrap(), "mine");
    world.succeed(&[&generate[..], &["--force"]].concat());
    assert_ne!(fs::read_to_string(world.path("days/2026-03-01.jsonl")).unwrap(), "mine");
}

#[test]
fn all_that_is_left_out_is_told() {
    let world = World::new("left_out_files");
    let line = Line::new("lesson_opened", "u", "2026-03-01T12:00:00Z", json!({}));
    fs::create_dir(world.path("day")).unwrap();
    fs::write(world.path("day/part-1.jsonl"), line.to_string()).unwrap();
    for other in ["a-readme.md", "part-2.jsonl.bz2"] {
        fs::write(world.path("day") + "/" + other, "").unwrap();
    }
    let left_out = json!(["day/a-readme.md", "day/part-2.jsonl.bz2"]);
    for command in ["validate", "load"] {
        let arguments = [command, "--batch-date", "2026-03-01", "day", "--output", "json"];
        let finished = world.run(&arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(report["left_out"], left_out, "{command}");
        assert!(finished.stderr.contains("2 of the files"), "{}", finished.stderr);
        let verbose = world.run(&[&arguments[..], &["-v"]].concat()).stderr;
        assert!(verbose.contains("a-readme.md") && verbose.contains("part-2.jsonl.bz2"), "{verbose}");
    }
}
