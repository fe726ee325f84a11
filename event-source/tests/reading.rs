//! Bytes come out whole and right, or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use event_source::{ErrorKind, Fingerprint, Options, Source, SourceError, resolve};
use tempfile::TempDir;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd_frame(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    // As the `zstd` program does.
    encoder.include_checksum(true).unwrap();
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn source(path: &Path) -> Source {
    resolve(&[path.display().to_string()], &Options::default()).unwrap().sources.remove(0)
}

/// Everything the source gives, and its fingerprint.
fn read(source: &Source) -> Result<(Vec<u8>, Fingerprint), SourceError> {
    let (mut reader, mut all, mut buffer) = (source.open()?, Vec::new(), vec![0; 7_001]);
    loop {
        match reader.read_some(&mut buffer)? {
            0 => return Ok((all, reader.fingerprint().expect("the end was read").clone())),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

/// A file in a folder that lasts as long as the first value.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn read_file(name: &str, bytes: &[u8]) -> Result<(Vec<u8>, Fingerprint), SourceError> {
    let (_folder, path) = file(name, bytes);
    read(&source(&path))
}

/// More than any buffer holds, and not too easy to compress.
fn long_text() -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = Vec::new();
    while text.len() < 1_500_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(text, "{{\"n\":{}}}", state >> 20).unwrap();
    }
    text
}

#[test]
fn every_format_gives_the_same_bytes() {
    let text = long_text();
    let (first, second) = text.split_at(900_001);
    let members = [gzip(first), gzip(b""), gzip(second)].concat();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let frames = [skippable, zstd_frame(first), zstd_frame(second)].concat();
    for (name, stored) in [
        ("day.jsonl", &text),
        ("day.jsonl.gz", &members),
        ("day.GZ", &members),
        ("by magic bytes", &members),
        ("day.zst", &frames),
        ("by magic bytes", &frames),
    ] {
        let (bytes, fingerprint) = read_file(name, stored).unwrap();
        assert!(bytes == text, "{name}: {} bytes instead of {}", bytes.len(), text.len());
        assert_eq!(fingerprint.size, stored.len() as u64, "{name}");
    }
}

#[test]
fn fingerprints_are_of_the_stored_bytes() {
    // The published test vector of XXH3-128 for no bytes.
    let (bytes, fingerprint) = read_file("empty.jsonl", b"").unwrap();
    assert_eq!((bytes.len(), fingerprint.size), (0, 0));
    assert_eq!(fingerprint.etag, "xxh3-128:99aa06d3014798d86001c324468d497f");

    let stored = gzip(&long_text());
    let (_folder, path) = file("day.gz", &stored);
    let source = source(&path);
    let (_, while_parsing) = read(&source).unwrap();
    assert_eq!(source.fingerprint().unwrap(), Some(while_parsing.clone()));
    let (_, other) = read_file("day.gz", &gzip(&long_text()[1..])).unwrap();
    assert_ne!(while_parsing.etag, other.etag);
}

#[test]
fn stored_bytes_are_counted_as_they_are_read() {
    let stored = gzip(&long_text());
    let (_folder, path) = file("day.gz", &stored);
    let counter = Arc::new(AtomicU64::new(0));
    let mut reader = source(&path).open_counting(Arc::clone(&counter)).unwrap();
    let mut buffer = [0; 1000];
    assert_eq!(reader.read_some(&mut buffer).unwrap(), 1000);
    let early = counter.load(Ordering::Relaxed);
    assert!(early > 0 && early < stored.len() as u64, "{early}");
    io::copy(&mut reader, &mut io::sink()).unwrap();
    assert_eq!(counter.load(Ordering::Relaxed), stored.len() as u64);
}

fn assert_corrupt(what: &str, name: &str, stored: &[u8]) {
    match read_file(name, stored) {
        Err(SourceError::Corrupt { name: named, offset, problem }) => {
            assert!(named.ends_with(name) && !problem.is_empty(), "{what}: {named}: {problem}");
            assert!(offset <= stored.len() as u64, "{what}: offset {offset}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok((bytes, _)) => panic!("{what}: taken for whole, with {} bytes", bytes.len()),
    }
}

#[test]
fn a_cut_at_any_byte_is_found() {
    let text = b"{\"event_id\":1}\n{\"event_id\":2}\n".repeat(20);
    for (name, member) in [("day.gz", gzip(&text)), ("day.zst", zstd_frame(&text))] {
        let two = [member.clone(), member.clone()].concat();
        // Cut between two members it is a whole file: nothing could tell.
        for length in (0..two.len()).filter(|length| *length != member.len()) {
            assert_corrupt(&format!("{name} cut to {length}"), name, &two[..length]);
        }
    }
}

#[test]
fn a_wrong_byte_is_never_taken_for_data() {
    let text = b"{\"event_id\":1}\n{\"event_id\":2}\n".repeat(20);
    for (name, stored) in [("day.gz", gzip(&text)), ("day.zst", zstd_frame(&text))] {
        for at in 0..stored.len() {
            let mut wrong = stored.clone();
            wrong[at] ^= 0x20;
            // Some header bits (of time, of the operating system) change nothing: then the text is right.
            match read_file(name, &wrong) {
                Ok((bytes, _)) => assert!(bytes == text, "{name}: byte {at} changed the text unnoticed"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: byte {at}: {error}"),
            }
        }
    }
}

#[test]
fn what_comes_before_the_damage_is_read_and_then_nothing() {
    let text = long_text();
    for (name, mut stored) in [("day.gz", gzip(&text)), ("day.zst", zstd_frame(&text))] {
        stored.truncate(stored.len() - 1000);
        let (_folder, path) = file(name, &stored);
        let (mut reader, mut all, mut buffer) = (source(&path).open().unwrap(), Vec::new(), vec![0; 7_001]);
        let error = loop {
            match reader.read_some(&mut buffer) {
                Ok(read) => all.extend_from_slice(&buffer[..read]),
                Err(error) => break error,
            }
            assert!(all.len() < text.len(), "{name}: taken for whole");
        };
        assert!(matches!(error, SourceError::Corrupt { .. }), "{name}: {error}");
        assert!(all.len() > 1_000_000 && text.starts_with(&all), "{name}: {} bytes", all.len());
        assert!(reader.read_some(&mut buffer).is_err(), "{name}: an error was followed by an end");
        assert_eq!(reader.fingerprint(), None);
    }
}

#[test]
fn what_is_not_what_its_name_says_is_corrupt() {
    let member = gzip(b"line\n");
    let frame = zstd_frame(b"line\n");
    assert_corrupt("plain text", "day.gz", b"{\"event_id\":1}\n");
    assert_corrupt("nothing", "day.gz", b"");
    assert_corrupt("nothing", "day.zst", b"");
    assert_corrupt("gzip", "day.zst", &member);
    assert_corrupt("zstd", "day.gz", &frame);
    for garbage in [&b"and now something else"[..], b"\x1f"] {
        assert_corrupt("gzip and garbage", "day.gz", &[&member, garbage].concat());
        assert_corrupt("zstd and garbage", "day.zst", &[&frame, garbage].concat());
    }
}

#[test]
fn a_zstd_window_larger_than_the_limit_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&long_text()).unwrap();
    let error = read_file("day.zst", &encoder.finish().unwrap()).unwrap_err();
    assert!(matches!(error, SourceError::WindowTooLarge { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("more than 128 MiB"), "{error}");
}

/// Reads a little, lets `change` happen to the file, reads the rest.
fn read_across(name: &str, stored: &[u8], change: impl FnOnce(&Path)) -> SourceError {
    let (_folder, path) = file(name, stored);
    let mut reader = source(&path).open().unwrap();
    let mut buffer = vec![0; 1000];
    assert_eq!(reader.read_some(&mut buffer).unwrap(), 1000);
    change(&path);
    loop {
        match reader.read_some(&mut buffer) {
            Ok(0) => panic!("the change went unnoticed"),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

type Change<'a> = &'a dyn Fn(&Path);

#[test]
fn a_source_that_changes_meanwhile_is_an_error() {
    let append = |path: &Path| {
        File::options().append(true).open(path).unwrap().write_all(b"more\n").unwrap();
    };
    let cut = |path: &Path| File::options().write(true).open(path).unwrap().set_len(600_000).unwrap();
    let rewrite = |path: &Path| {
        let file = File::options().write(true).open(path).unwrap();
        // Explicit, since the clock of a file system may be coarse.
        file.set_modified(SystemTime::now() + Duration::from_secs(1)).unwrap();
    };
    let replace = |path: &Path| {
        let new = path.with_extension("new");
        fs::write(&new, b"another day\n").unwrap();
        fs::rename(new, path).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let text = long_text();
    for (name, stored) in
        [("day.jsonl", text.clone()), ("day.gz", gzip(&text)), ("day.zst", zstd_frame(&text))]
    {
        let changes: [(&str, Change<'_>); 5] = [
            ("append", &append),
            ("cut", &cut),
            ("rewrite", &rewrite),
            ("replace", &replace),
            ("remove", &remove),
        ];
        for (what, change) in changes {
            let error = read_across(name, &stored, change);
            assert_eq!(error.kind(), ErrorKind::Changed, "{name}, {what}: {error}");
        }
    }
}

#[test]
fn a_source_removed_before_it_is_opened_is_an_error() {
    let (_folder, path) = file("day.jsonl", b"line\n");
    let source = source(&path);
    fs::remove_file(&path).unwrap();
    assert_eq!(source.open().unwrap_err().kind(), ErrorKind::Changed);
}

#[test]
fn the_standard_trait_carries_the_typed_error() {
    let (_folder, path) = file("day.gz", &gzip(b"line\n")[..12]);
    let mut reader = source(&path).open().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let inner = error.into_inner().expect("an inner error").downcast::<SourceError>().unwrap();
    assert_eq!(inner.kind(), ErrorKind::Corrupt);
}
