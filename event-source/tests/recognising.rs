//! What is not lines of JSON is told for what it is, before a line of it is taken.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use event_source::{ErrorKind, LeftOut, Options, SourceError, WhyLeftOut, resolve};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// A tar archive of one file, as the `tar` of 1988 writes it.
fn tar(name: &str, text: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; text.len().next_multiple_of(512) - text.len() + 1024];
    [&header, text, &padding].concat()
}

/// Reads everything of a file of these bytes.
fn read(name: &str, bytes: &[u8]) -> Result<Vec<u8>, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read_path(&path, &Options::default())
}

fn read_path(path: &Path, options: &Options) -> Result<Vec<u8>, SourceError> {
    let source = resolve(&[path.display().to_string()], options)?.sources.remove(0);
    let (mut reader, mut all, mut buffer) = (source.open()?, Vec::new(), vec![0; 700]);
    loop {
        match reader.read_some(&mut buffer)? {
            0 => return Ok(all),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

#[test]
fn archives_and_what_is_packed_twice_are_refused_by_what_they_are() {
    let line = b"{\"event_id\":1}\n";
    let archive = tar("day.jsonl", &line.repeat(250));
    for (name, bytes, what, mend) in [
        ("x.jsonl.gz", gzip(&archive), "a tar archive", "unpack"),
        ("x.jsonl.zst", zstd(&archive), "a tar archive", "unpack"),
        ("x.jsonl", archive.clone(), "a tar archive", "unpack"),
        ("x.jsonl.gz", gzip(&gzip(line)), "still gzip inside", "once more"),
        ("x.jsonl.zst", zstd(&gzip(line)), "still gzip inside", "once more"),
        ("x.jsonl", gzip(&zstd(line)), "still zstd inside", "once more"),
        ("x.jsonl", b"BZh91AY&SY\x01\x02".to_vec(), "bzip2", "gzip or zstd"),
        ("x.jsonl.gz", b"BZh91AY&SY\x01\x02".to_vec(), "bzip2", "gzip or zstd"),
        ("x.jsonl", b"\xfd7zXZ\0\0\x04".to_vec(), "xz", "gzip or zstd"),
        ("x.jsonl", b"PK\x03\x04\x14\0".to_vec(), "a zip archive", "unpack"),
        ("x.jsonl.gz", gzip(b"PAR1\x15\x04"), "a Parquet file", "export"),
        ("x.jsonl", b"\xff\xfe{\0\"\0".to_vec(), "UTF-16", "iconv"),
    ] {
        let error = read(name, &bytes).unwrap_err();
        assert!(matches!(error, SourceError::NotLines { .. }), "{name}: {error}");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let message = error.to_string();
        assert!(message.contains(name) && message.contains(what) && message.contains(mend), "{message}");
    }
}

#[test]
fn a_name_that_promises_compression_is_told_what_is_there() {
    for (name, bytes, what) in [
        ("x.jsonl.gz", b"{\"event_id\":1}\n".to_vec(), "it is plain text"),
        ("x.jsonl.gz", zstd(b"line\n"), "it is zstd"),
        ("x.jsonl.zst", gzip(b"line\n"), "it is gzip"),
        ("x.jsonl.gz", b"<html>404</html>".to_vec(), "HTML"),
        ("x.jsonl.gz", Vec::new(), "empty"),
    ] {
        let error = read(name, &bytes).unwrap_err();
        assert!(matches!(error, SourceError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    // The extension is that of the last part of the name alone.
    assert_eq!(read("a.gz.jsonl", b"line\n").unwrap(), b"line\n");
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn text_that_is_not_one_object_a_line_is_read_with_a_warning() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer({
        let log = log.clone();
        move || log.clone()
    });
    // For all threads: compressed sources are read by one of their own.
    subscriber.with_max_level(tracing_subscriber::filter::LevelFilter::WARN).init();
    let options = Options::default();
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("text-that-is-read");
    fs::create_dir(&folder).unwrap();
    for (name, bytes, words) in [
        ("array.jsonl", b"[{\"event_id\":1},\n{\"event_id\":2}]\n".to_vec(), "jq -c '.[]'"),
        ("array.jsonl.gz", gzip(b"[\n  {\"event_id\":1}\n]\n"), "jq -c '.[]'"),
        ("indented.jsonl.zst", zstd(b"{\n  \"event_id\": 1\n}\n"), "jq -c ."),
        ("table.jsonl", b"event_id,event_type\n1,2\n".to_vec(), "CSV"),
        ("page.jsonl", b"<!DOCTYPE html>\n<html>".to_vec(), "HTML"),
    ] {
        let path = folder.join(name);
        fs::write(&path, &bytes).unwrap();
        read_path(&path, &options).unwrap();
        let log = log.take();
        // Other tests log beside this one.
        let of_this = |line: &&str| line.contains("text-that-is-read/");
        let warnings: Vec<&str> = log.lines().filter(of_this).collect();
        assert!(matches!(&warnings[..], [one] if one.contains(name) && one.contains(words)), "{name}: {log}");
    }
    let path = folder.join("day.jsonl");
    fs::write(&path, "{\"event_id\":1}\n").unwrap();
    read_path(&path, &options).unwrap();
    let log = log.take();
    assert!(!log.contains("text-that-is-read/"), "{log}");
}

#[test]
fn what_follows_compressed_data_is_padding_or_an_error_that_shows_it() {
    let text = b"{\"event_id\":1}\n".repeat(100);
    let (gz, zst) = (gzip(&text), zstd(&text));
    // As gzip(1): zeros behind the last member are what tapes and disks pad with.
    for zeros in [1, 3, 4, 512, 300_000] {
        assert_eq!(read("x.gz", &[&gz[..], &vec![0; zeros]].concat()).unwrap(), text, "{zeros} zeros");
    }
    let two = [&gz[..], &gz].concat();
    assert_eq!(read("x.gz", &two).unwrap(), [&text[..], &text].concat());
    for (name, stored, tail, shown) in [
        ("x.gz", &gz, &b"\n"[..], "\"\\n\""),
        ("x.gz", &gz, b"\r\n", "\"\\r\\n\""),
        ("x.gz", &gz, b"abc", "\"abc\""),
        ("x.gz", &gz, b"{\"event_id\":2}\n", "\"{\\\"ev\"…"),
        ("x.gz", &gz, b"\0\0\0\0\0\0\0\0x", "\"\\x00"),
        ("x.gz", &gz, &zst, "\"(\\xb5/\\xfd\""),
        ("x.zst", &zst, b"\n", "\"\\n\""),
        ("x.zst", &zst, b"\0\0\0", "\"\\x00"),
        ("x.zst", &zst, &gz, "\"\\x1f\\x8b"),
    ] {
        let error = read(name, &[stored, tail].concat()).unwrap_err();
        assert!(
            matches!(&error, SourceError::Corrupt { offset, .. } if *offset == stored.len() as u64),
            "{error}"
        );
        let message = error.to_string();
        assert!(message.contains("other bytes follow") && message.contains(shown), "{message}");
    }
    // A member that begins and does not end is cut short, not followed.
    let error = read("x.gz", &[&gz[..], &gz[..5]].concat()).unwrap_err();
    assert!(error.to_string().contains("ends too early"), "{error}");
}

#[test]
fn a_byte_of_the_next_member_may_be_behind_what_the_buffer_holds() {
    // Stored, not deflated: the member's size decides where the buffer of 256 KiB ends in the next one's header.
    let stored = |length: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(&vec![b'x'; length]).unwrap();
        encoder.finish().unwrap()
    };
    let overhead = stored(200_000).len() - 200_000;
    for behind in 0..6 {
        let length = (256 << 10) - overhead - behind;
        let first = stored(length);
        let whole = read("x.gz", &[first, gzip(b"end")].concat()).unwrap();
        assert_eq!(
            (whole.len(), whole.ends_with(b"xend")),
            (length + 3, true),
            "{behind} bytes before the buffer's end"
        );
    }
}

#[test]
fn what_is_no_file_in_a_folder_is_left_out_and_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("v1")).unwrap();
    fs::write(path("v1/day.jsonl"), "line\n").unwrap();
    symlink("v1", path("current")).unwrap();
    symlink("v1", path("linked.jsonl")).unwrap();
    symlink("v1/day.jsonl", path("link.jsonl")).unwrap();
    let made = Command::new("mkfifo").arg(path("pipe.jsonl")).status().unwrap();
    assert!(made.success() && fs::metadata(path("pipe.jsonl")).unwrap().file_type().is_fifo());
    symlink("pipe.jsonl", path("to-pipe.jsonl")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket.jsonl")).unwrap();
    fs::write(path("part.jsonl.bz2"), "BZh9").unwrap();
    fs::write(path("README.md"), "words").unwrap();

    let name = |name: &str| path(name).display().to_string();
    let named = |argument: String| resolve(&[argument], &Options::default());
    // The link to the file and the file are one.
    let error = named(name("")).unwrap_err();
    assert!(matches!(error, SourceError::NamedTwice { .. }), "{error}");
    fs::remove_file(path("link.jsonl")).unwrap();
    let found = named(folder.path().display().to_string()).unwrap();
    assert_eq!(found.sources.len(), 1);
    let left_out = |name: String, why| LeftOut { name, why };
    assert_eq!(
        found.left_out,
        [
            left_out(name("README.md"), WhyLeftOut::OtherName),
            left_out(name("current"), WhyLeftOut::LinkToFolder),
            left_out(name("linked.jsonl"), WhyLeftOut::LinkToFolder),
            left_out(name("part.jsonl.bz2"), WhyLeftOut::OtherPacker),
            left_out(name("pipe.jsonl"), WhyLeftOut::Special),
            left_out(name("socket.jsonl"), WhyLeftOut::Special),
            left_out(name("to-pipe.jsonl"), WhyLeftOut::Special),
        ]
    );
    assert!(
        found.left_out[1]
            .to_string()
            .ends_with("current: it is a link to a folder, and these are not followed")
    );
    let found = named(name("*.*")).unwrap();
    assert_eq!(found.sources.len(), 2, "README.md and part.jsonl.bz2 match");
    assert_eq!(found.left_out.len(), 3, "{:?}", found.left_out);

    // Named itself, a pipe is read as standard input is.
    let writer = std::thread::spawn({
        let pipe = path("pipe.jsonl");
        move || -> io::Result<()> { fs::write(pipe, "from a pipe\n") }
    });
    assert_eq!(read_path(&path("pipe.jsonl"), &Options::default()).unwrap(), b"from a pipe\n");
    writer.join().unwrap().unwrap();
}

#[test]
fn urls_with_a_slash_too_few_are_told_from_paths() {
    for (argument, beginning, scheme) in [
        ("s3:/bucket/key", "s3:/", "s3://BUCKET"),
        ("S3:bucket/key", "S3:", "s3://BUCKET"),
        ("s3//bucket/key", "s3//", "s3://BUCKET"),
        ("gs:/user:geheim@bucket", "gs:/", "gs://BUCKET"),
        ("az:/container/*.jsonl", "az:/", "az://BUCKET"),
        ("file:/absolute", "file:/", "file:///absolute"),
    ] {
        let error = resolve(&[argument.to_owned()], &Options::default()).unwrap_err();
        assert!(matches!(error, SourceError::SlashesInUrl { .. }), "{argument}: {error}");
        assert_eq!(error.kind(), ErrorKind::Usage);
        let message = error.to_string();
        assert!(message.contains(beginning) && message.contains(scheme), "{message}");
        assert!(!message.contains("geheim"), "{message}");
    }
    // What is there is what is meant; and other names with colons are names.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s3:x.jsonl");
    fs::write(&path, "line\n").unwrap();
    assert_eq!(read_path(&path, &Options::default()).unwrap(), b"line\n");
    let error = resolve(&["12:30.jsonl".to_owned()], &Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
