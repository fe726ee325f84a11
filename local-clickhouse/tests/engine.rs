//! Which engine is found, by what the environment offers: the host executable says so, run by hand.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::HOST;
use local_clickhouse::ENGINE_VERSION;

/// What the host says with nothing but this in its environment: its standard output or error.
fn found(environment: &[(&str, &Path)]) -> Result<String, String> {
    let output = Command::new(HOST).env_clear().envs(environment.iter().copied()).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if output.status.success() { Ok(stdout) } else { Err(stderr) }
}

/// A `clickhouse` that says `version` and answers every other call as `other` does.
fn script(folder: &Path, version: &str, other: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join("clickhouse");
    fs::write(&path, format!("#!/bin/sh\n[ \"$2\" = --version ] && echo '{version}' && exit\n{other}\n"))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A file where the pinned library belongs.
fn pinned(cache: &Path) -> PathBuf {
    let path = cache.join("engine").join(ENGINE_VERSION).join("libchdb.so");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    path
}

#[test]
fn the_first_that_can_be_used_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (root, cache) = (folder.path(), folder.path().join("cache"));
    let library = pinned(&cache);
    let old = script(&root.join("old"), "ClickHouse client version 18.16.1.", "exit 0");
    let mute =
        script(&root.join("mute"), "ClickHouse local version 26.1.1.1.", "echo 'not supported' >&2; exit 1");
    let new = script(&root.join("new"), "ClickHouse local version 26.9.1.1.", "exit 0");
    let path = |folders: &[&PathBuf]| {
        PathBuf::from(
            std::env::join_paths(
                folders.iter().map(|f| f.parent()).map(|f| f.expect("a script is in a folder")),
            )
            .unwrap(),
        )
    };

    let said = found(&[("SCHOOLBELL_CACHE", &cache), ("PATH", &path(&[&old, &mute, &new]))]).unwrap();
    assert!(said.starts_with(&*new.to_string_lossy()), "{said}");
    let said = found(&[("SCHOOLBELL_CACHE", &cache), ("PATH", &path(&[&old, &mute]))]).unwrap();
    assert_eq!(said.trim_end(), library.to_string_lossy());
    let said = found(&[("SCHOOLBELL_CLICKHOUSE", &library), ("PATH", &path(&[&new]))]).unwrap();
    assert_eq!(
        said.trim_end(),
        library.canonicalize().unwrap().to_string_lossy(),
        "the named one goes first"
    );
}

#[test]
fn the_cache_is_where_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, home) = (folder.path().join("one"), folder.path().join("two"), folder.path().join("home"));
    let schoolbells = pinned(&one);
    let xdg = pinned(&two.join("schoolbell"));
    let homes = pinned(&home.join(".cache").join("schoolbell"));
    for (environment, expected) in [
        (vec![("SCHOOLBELL_CACHE", &one), ("XDG_CACHE_HOME", &two), ("HOME", &home)], &schoolbells),
        (vec![("XDG_CACHE_HOME", &two), ("HOME", &home)], &xdg),
        (vec![("HOME", &home)], &homes),
    ] {
        let environment: Vec<_> =
            environment.into_iter().map(|(name, path)| (name, path.as_path())).collect();
        assert_eq!(found(&environment).unwrap().trim_end(), expected.to_string_lossy());
    }
}

#[test]
fn nothing_found_says_where_it_looked_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let old = script(&folder.path().join("old"), "ClickHouse client version 18.16.1.", "exit 0");
    let said = found(&[("HOME", folder.path()), ("PATH", old.parent().unwrap())]).unwrap_err();
    for part in [&*old.to_string_lossy(), "too old", "18.16.1", ".cache/schoolbell", "cargo xtask setup"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_named_engine_is_not_replaced_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    pinned(&cache);
    let missing = folder.path().join("libchdb.so");
    let said = found(&[("SCHOOLBELL_CLICKHOUSE", &missing), ("SCHOOLBELL_CACHE", &cache)]).unwrap_err();
    assert!(said.contains("SCHOOLBELL_CLICKHOUSE") && said.contains("no such file"), "{said}");
}
