//! Names on the command line become sources, or an error that says what to name instead.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt, symlink};

use event_source::{ErrorKind, LeftOut, Options, Source, SourceError, WhyLeftOut};
use tempfile::TempDir;

/// A folder with these files, each holding its own name.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn resolve(arguments: &[String]) -> Result<Vec<Source>, SourceError> {
    event_source::resolve(arguments, &Options::default()).map(|resolved| resolved.sources)
}

/// Resolves paths under `folder`; the sources' names without it.
fn names(folder: &TempDir, arguments: &[&str]) -> Result<Vec<String>, SourceError> {
    let prefix = format!("{}/", folder.path().display());
    let arguments: Vec<String> = arguments.iter().map(|argument| format!("{prefix}{argument}")).collect();
    let sources = resolve(&arguments)?;
    Ok(sources.iter().map(|source| source.name().strip_prefix(&prefix).unwrap().to_owned()).collect())
}

#[test]
fn arguments_keep_their_order_and_globs_are_sorted() {
    let folder = folder(&["b2", "b10", "b1", "a", "B3", ".b4", "b/inside", "deep/er/b5"]);
    assert_eq!(names(&folder, &["b*", "a"]).unwrap(), ["b1", "b10", "b2", "a"]);
    assert_eq!(names(&folder, &["a", "b?"]).unwrap(), ["a", "b1", "b2"]);
    assert_eq!(names(&folder, &["[bB][12]*"]).unwrap(), ["b1", "b10", "b2"]);
    assert_eq!(names(&folder, &["**/b5"]).unwrap(), ["deep/er/b5"]);
}

#[test]
fn globs_go_through_folders_as_a_shells_do() {
    let folder = folder(&["a/x.1", "a/b/x.2", "a/b/c/x.3", "a/.h/x.4", "x.5", ".x.6"]);
    symlink(folder.path().join("a"), folder.path().join("link")).unwrap();
    for (pattern, expected) in [
        ("**/x.*", &["a/b/c/x.3", "a/b/x.2", "a/x.1", "x.5"][..]),
        ("a/**", &["a/b/c/x.3", "a/b/x.2", "a/x.1"]),
        ("a/**/**/x.[13]", &["a/b/c/x.3", "a/x.1"]),
        ("**/b/**/x*", &["a/b/c/x.3", "a/b/x.2"]),
        (".//a/./*/x*", &["a/b/x.2"]),
        ("a/.*/x.?", &["a/.h/x.4"]),
        (".x*", &[".x.6"]),
        ("link/x*", &["link/x.1"]),
        ("a/b/../x?1", &["a/b/../x.1"]),
    ] {
        assert_eq!(names(&folder, &[pattern]).unwrap(), expected, "{pattern}");
    }
    for pattern in ["*/", "a*", "x.5/*", "**/none*"] {
        assert_eq!(names(&folder, &[pattern]).unwrap_err().kind(), ErrorKind::NotFound, "{pattern}");
    }
    // A link whose end has gone is named, not passed over.
    symlink("nowhere", folder.path().join("a/x.7")).unwrap();
    let error = names(&folder, &["a/x*"]).unwrap_err();
    assert!(error.to_string().contains("a/x.7: there is no such file"), "{error}");
}

#[test]
fn names_that_are_not_utf8_are_passed_over_unless_they_are_meant() {
    let folder = folder(&["day/a.jsonl"]);
    let odd = |name: &[u8]| folder.path().join("day").join(OsStr::from_bytes(name));
    fs::write(odd(b"caf\xe9.txt"), "").unwrap();
    fs::create_dir(odd(b"\xe9")).unwrap();
    for pattern in ["day", "day/*.jsonl", "**/*.jsonl", "day/[a]*", "*/a*"] {
        assert_eq!(names(&folder, &[pattern]).unwrap(), ["day/a.jsonl"], "{pattern}");
    }
    let argument = folder.path().join("day").display().to_string();
    let resolved = event_source::resolve(&[argument], &Options::default()).unwrap();
    assert!(resolved.left_out[0].name.ends_with("day/caf\u{fffd}.txt"), "{:?}", resolved.left_out);

    fs::write(odd(b"\xe9/b.jsonl"), "").unwrap();
    for pattern in ["day", "**/*.jsonl", "day/*/b*"] {
        let error = names(&folder, &[pattern]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{pattern}");
        assert!(error.to_string().contains("rename"), "{error}");
    }
}

#[test]
fn a_file_that_is_there_wins_over_a_pattern() {
    let folder = folder(&["day[1]", "day1"]);
    assert_eq!(names(&folder, &["day[1]"]).unwrap(), ["day[1]"]);
    fs::remove_file(folder.path().join("day[1]")).unwrap();
    assert_eq!(names(&folder, &["day[1]"]).unwrap(), ["day1"]);
}

#[test]
fn sizes_are_known_of_files_only() {
    let folder = folder(&["four"]);
    let sources = resolve(&[folder.path().join("four").display().to_string(), "-".to_owned()]).unwrap();
    assert_eq!(sources[0].size(), Some(4));
    assert_eq!((sources[1].name(), sources[1].size()), ("-", None));
    assert_eq!(sources[1].fingerprint().unwrap(), None);
}

#[test]
fn file_urls_are_paths() {
    let folder = folder(&["with space%"]);
    let url = format!("file://{}/with%20space%25", folder.path().display());
    let sources = resolve(std::slice::from_ref(&url)).unwrap();
    assert_eq!((sources[0].name(), sources[0].size()), (url.as_str(), Some(11)));
    for wrong in
        ["file://elsewhere/x", "file://x", "file:///a%2", "file:///a%zz", "file:///%ff", "file://u:geheim@x/"]
    {
        let error = resolve(&[wrong.to_owned()]).unwrap_err();
        assert!(matches!(error, SourceError::InvalidFileUrl { .. }), "{wrong}: {error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let folder = folder(&["a"]);
    for (argument, pattern) in [("missing", false), ("a/below-a-file", false), ("missing*", true)] {
        let error = names(&folder, &["a", argument]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains(argument), "{error}");
        assert!(
            matches!(error, SourceError::NotFound { pattern: found, .. } if found == pattern),
            "{error:?}"
        );
    }
}

#[test]
fn wrong_names_are_told_apart() {
    let folder = folder(&["day/a"]);
    let error = names(&folder, &["day/[a"]).unwrap_err();
    assert!(matches!(error, SourceError::InvalidPattern { .. }), "{error}");
    assert!(matches!(resolve(&[]).unwrap_err(), SourceError::NothingNamed));
    let error = resolve(&["s3://key:geheim@bucket/day".to_owned()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
}

#[test]
fn a_file_is_taken_once_whatever_it_is_called() {
    let folder = folder(&["a", "b"]);
    symlink(folder.path().join("a"), folder.path().join("link")).unwrap();
    for twice in [["a", "a"], ["a", "./a"], ["a", "link"], ["*", "b"]] {
        let error = names(&folder, &twice).unwrap_err();
        assert!(matches!(error, SourceError::NamedTwice { .. }), "{twice:?}: {error}");
    }
    let error = resolve(&["-".to_owned(), "-".to_owned()]).unwrap_err();
    assert!(matches!(error, SourceError::NamedTwice { .. }), "{error}");
}

#[test]
fn a_file_that_may_not_be_read_is_denied_at_once() {
    let folder = folder(&["secret"]);
    let path = folder.path().join("secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let result = names(&folder, &["secret"]);
    if fs::File::open(&path).is_ok() {
        // The superuser may read everything: then it has to be taken.
        assert_eq!(result.unwrap(), ["secret"]);
    } else {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

#[test]
fn a_folder_stands_for_the_day_files_below_it() {
    let folder = folder(&[
        "day/b.jsonl",
        "day/a.jsonl.gz",
        "day/deep/er/part-1.zst",
        "day/_SUCCESS",
        "day/_temporary/c.jsonl",
        "day/.d.jsonl",
        "day/rates.csv",
        "csv/rates.csv",
    ]);
    let expected = ["day/a.jsonl.gz", "day/b.jsonl", "day/deep/er/part-1.zst"];
    assert_eq!(names(&folder, &["day"]).unwrap(), expected);
    assert_eq!(names(&folder, &["day/"]).unwrap(), expected);

    let root = folder.path().display();
    let url = format!("file://{root}/day/");
    let resolved = event_source::resolve(&[url], &Options::default()).unwrap();
    let found: Vec<&str> = resolved.sources.iter().map(Source::name).collect();
    assert_eq!(found, expected.map(|name| format!("file://{root}/{name}")));
    let left_out = LeftOut { name: format!("file://{root}/day/rates.csv"), why: WhyLeftOut::OtherName };
    assert_eq!(resolved.left_out, [left_out]);
    let glob = resolve(&[format!("file://{root}/day/*.jsonl")]).unwrap();
    assert_eq!(glob[0].name(), format!("file://{root}/day/b.jsonl"));

    let error = names(&folder, &["csv"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("1 other"), "{error}");
}
