//! Files on a disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::num::NonZero;
use std::path::Path;

use event_generator::{Compression, FilesError, Layout, Plan, write_files};

use super::{day, lines, plan};

fn small() -> Plan {
    Plan { reject_share: 0.05, ..plan("2026-02-27", 3, 150) }
}

fn layout(compression: Compression, parts: u32, threads: usize) -> Layout {
    Layout { compression, parts, threads: NonZero::new(threads).expect("a thread"), ..Layout::default() }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the folder");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            (entry.file_name().into_string().expect("a plain name"), fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

#[test]
fn files_are_the_same_however_many_threads_write_them() {
    let (one, four) = (folder(), folder());
    let mut finished = 0;
    let summary = write_files(&small(), one.path(), layout(Compression::None, 2, 1), |_| finished += 1)
        .expect("the disk takes it");
    write_files(&small(), four.path(), layout(Compression::None, 2, 4), |_| ()).expect("the disk takes it");
    let files = contents(one.path());
    assert!(files == contents(four.path()));
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = [
        "2026-02-27.part1.jsonl",
        "2026-02-27.part2.jsonl",
        "2026-02-28.part1.jsonl",
        "2026-02-28.part2.jsonl",
        "2026-03-01.part1.jsonl",
        "2026-03-01.part2.jsonl",
        "exchange_rates.csv",
    ];
    assert_eq!(names, expected);
    assert_eq!(finished, 6);
    for (stats, date) in summary.days().into_iter().zip(small().dates()) {
        assert_eq!(stats, day(&small(), date, 0, 1).1);
    }
}

#[test]
fn compressed_files_hold_the_same_bytes() {
    let date = small().start;
    let (expected, stats) = day(&small(), date, 0, 1);
    for compression in [Compression::None, Compression::Gz, Compression::Zst] {
        let folder = folder();
        let summary = write_files(&small(), folder.path(), layout(compression, 1, 2), |_| ())
            .expect("the disk takes it");
        let file = &summary.files[0];
        assert_eq!(file.path, folder.path().join(format!("{date}.jsonl{}", compression.suffix())));
        let raw = fs::read(&file.path).expect("the file");
        assert_eq!(file.bytes_on_disk, raw.len() as u64);
        let mut bytes = Vec::new();
        match compression {
            Compression::None => bytes = raw,
            Compression::Gz => {
                flate2::read::MultiGzDecoder::new(&raw[..]).read_to_end(&mut bytes).expect("gzip");
            }
            Compression::Zst => bytes = zstd::decode_all(&raw[..]).expect("zstd"),
        }
        assert!(bytes == expected, "{compression:?}");
        assert_eq!(file.stats, stats);
        assert_eq!(file.stats.lines, lines(&bytes).len() as u64);
    }
}

#[test]
fn files_are_replaced_only_where_that_is_asked_for() {
    let folder = folder();
    let plain = layout(Compression::None, 1, 2);
    write_files(&small(), folder.path(), plain, |_| ()).expect("the disk takes it");
    let generated = contents(folder.path());
    // The last of them is there: nothing is written before that is known.
    let date = small().start;
    fs::remove_file(folder.path().join(plain.file_name(date, 0))).expect("the first day");
    fs::write(folder.path().join("exchange_rates.csv"), "mine").expect("the disk takes it");
    let before = contents(folder.path());
    let error = write_files(&small(), folder.path(), plain, |_| ()).expect_err("a file is there");
    assert!(matches!(error, FilesError::IsThere(_)), "{error}");
    assert!(before == contents(folder.path()));
    write_files(&small(), folder.path(), Layout { overwrite: true, ..plain }, |_| ())
        .expect("they are replaced");
    assert!(generated == contents(folder.path()));
}

#[test]
fn a_folder_with_other_lines_of_the_same_day_is_refused() {
    let folder = folder();
    write_files(&small(), folder.path(), layout(Compression::None, 1, 2), |_| ()).expect("the disk takes it");
    let before = contents(folder.path());
    let error = write_files(&small(), folder.path(), layout(Compression::Zst, 1, 2), |_| ())
        .expect_err("the plain files are still there");
    assert!(matches!(error, FilesError::OtherFile(_)), "{error}");
    assert!(error.to_string().contains("remove it, or write into another folder"), "{error}");
    assert!(before == contents(folder.path()));
}

#[test]
fn a_file_that_cannot_be_finished_leaves_nothing_behind() {
    let folder = folder();
    // A folder stands where the second day's file belongs: its renaming fails.
    fs::create_dir_all(folder.path().join("2026-02-28.jsonl/taken")).expect("a folder");
    let replacing = Layout { overwrite: true, ..layout(Compression::None, 1, 1) };
    let error =
        write_files(&small(), folder.path(), replacing, |_| ()).expect_err("a file cannot replace a folder");
    assert!(error.to_string().contains("2026-02-28.jsonl"), "{error}");
    let names: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}
