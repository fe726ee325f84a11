//! Day files on a disk: names, compression, all cores, and never half a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use event_schema::value::Date;
use flate2::write::GzEncoder;

use crate::day::{Generator, WriteError};
use crate::plan::{Plan, PlanError};
use crate::rates::exchange_rates_csv;
use crate::stats::DayStats;

/// How day files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// `.jsonl`
    #[default]
    None,
    /// `.jsonl.gz`
    Gz,
    /// `.jsonl.zst`
    Zst,
}

impl Compression {
    /// What is added to `.jsonl`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gz => ".gz",
            Compression::Zst => ".zst",
        }
    }
}

/// How a plan becomes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How the files are compressed.
    pub compression: Compression,
    /// Files for each day.
    pub parts: u32,
    /// Files written at the same time.
    pub threads: NonZero<usize>,
    /// Whether files of the same names are replaced.
    pub overwrite: bool,
}

impl Default for Layout {
    /// One plain file a day, written on all cores, none replaced.
    fn default() -> Layout {
        let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Layout { compression: Compression::None, parts: 1, threads, overwrite: false }
    }
}

impl Layout {
    /// The name of a day's file: `2026-03-01.jsonl`, or `2026-03-01.part2.jsonl.gz` for the second of
    /// several (`part` counts from 0). The glob `2026-03-01*.jsonl*` finds all of a day.
    pub fn file_name(&self, date: Date, part: u32) -> String {
        let suffix = self.compression.suffix();
        if self.parts == 1 {
            return format!("{date}.jsonl{suffix}");
        }
        let width = self.parts.to_string().len();
        format!("{date}.part{:0width$}.jsonl{suffix}", part + 1)
    }
}

/// The file of the exchange rates.
pub const RATES_FILE: &str = "exchange_rates.csv";

/// A day file that has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes on the disk.
    pub bytes_on_disk: u64,
    /// What is in it.
    pub stats: DayStats,
}

/// What a plan has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The files, by date and part.
    pub files: Vec<WrittenFile>,
    /// The exchange rates that fit.
    pub rates: PathBuf,
}

impl Summary {
    /// Each day's counts over its parts, in order.
    pub fn days(&self) -> Vec<DayStats> {
        let mut days: Vec<DayStats> = Vec::new();
        for file in &self.files {
            match days.last_mut() {
                Some(day) if day.date == file.stats.date => day.add(&file.stats),
                _ => days.push(file.stats.clone()),
            }
        }
        days
    }
}

/// Files that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The plan or the number of parts cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder has lines of the same day from another run, which would be loaded together with these.
    #[error("{} holds lines of the same day already: remove it, or write into another folder", .0.display())]
    OtherFile(PathBuf),
    /// A file of that name is there, and is not to be replaced.
    #[error("{} is there already: write into another folder", .0.display())]
    IsThere(PathBuf),
    /// The disk failed.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes every day of a plan, and the exchange rates that fit, into a folder, which is made where it is
/// missing. Files of the same names are replaced if the layout says so, else nothing is written.
///
/// Each file is written under a hidden temporary name and renamed when it is whole. `progress` is called
/// on the calling thread for each finished file, in the order they finish.
pub fn write_files(
    plan: &Plan,
    folder: &Path,
    layout: Layout,
    mut progress: impl FnMut(&WrittenFile),
) -> Result<Summary, FilesError> {
    let generator = Generator::new(plan.clone())?;
    if layout.parts == 0 {
        return Err(PlanError::Part { part: 0, parts: 0 }.into());
    }
    fs::create_dir_all(folder).map_err(|source| FilesError::Io { path: folder.to_owned(), source })?;
    let dates: Vec<Date> = plan.dates().collect();
    refuse_other_files(&dates, folder, layout)?;
    let rates = folder.join(RATES_FILE);
    let parts_of =
        |date: &Date| (0..layout.parts).map(|part| layout.file_name(*date, part)).collect::<Vec<_>>();
    let mut paths = dates.iter().flat_map(parts_of).map(|name| folder.join(name)).chain([rates.clone()]);
    // Also a link to nothing, which renaming would replace.
    if let Some(path) = paths.find(|path| !layout.overwrite && path.symlink_metadata().is_ok()) {
        return Err(FilesError::IsThere(path));
    }
    write_whole(&rates, |file| file.write_all(exchange_rates_csv(plan).as_bytes()))
        .map_err(|source| FilesError::Io { path: rates.clone(), source })?;

    let parts = layout.parts as usize;
    let count = dates.len() * parts;
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut files: Vec<WrittenFile> = Vec::new();
    let mut failure = None;
    thread::scope(|scope| {
        for _ in 0..layout.threads.get().min(count) {
            let (sender, next, generator, dates) = (sender.clone(), &next, &generator, &dates);
            scope.spawn(move || {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= count {
                        return;
                    }
                    let (date, part) = (dates[task / parts], (task % parts) as u32);
                    let file = write_file(generator, date, part, layout, folder);
                    // Nobody takes further files once one has failed.
                    let is_err = file.is_err();
                    if sender.send(file).is_err() || is_err {
                        next.store(count, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
        drop(sender);
        for file in receiver {
            match file {
                Ok(file) => {
                    progress(&file);
                    files.push(file);
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    files.sort_unstable_by(|a, b| (a.stats.date, &a.path).cmp(&(b.stats.date, &b.path)));
    Ok(Summary { files, rates })
}

/// A file of one of the days that this run does not replace would double the day.
fn refuse_other_files(dates: &[Date], folder: &Path, layout: Layout) -> Result<(), FilesError> {
    let io = |source| FilesError::Io { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(date) = name.get(..10).and_then(|date| date.parse::<Date>().ok()) else { continue };
        let is_ours = (0..layout.parts).any(|part| layout.file_name(date, part) == name);
        if name.contains(".jsonl") && dates.binary_search(&date).is_ok() && !is_ours {
            return Err(FilesError::OtherFile(path));
        }
    }
    Ok(())
}

fn write_file(
    generator: &Generator,
    date: Date,
    part: u32,
    layout: Layout,
    folder: &Path,
) -> Result<WrittenFile, FilesError> {
    let path = folder.join(layout.file_name(date, part));
    let parts = layout.parts;
    let result = write_whole(&path, |file| {
        let lines = |out: &mut dyn Write| generator.write_day(date, part, parts, &mut { out }).map_err(plain);
        match layout.compression {
            Compression::None => lines(file),
            Compression::Gz => {
                let mut encoder = GzEncoder::new(file, flate2::Compression::fast());
                let stats = lines(&mut encoder)?;
                encoder.finish()?;
                Ok(stats)
            }
            Compression::Zst => {
                let mut encoder = zstd::Encoder::new(file, 1)?;
                let stats = lines(&mut encoder)?;
                encoder.finish()?;
                Ok(stats)
            }
        }
    });
    let io = |source| FilesError::Io { path: path.clone(), source };
    let stats = result.map_err(io)?;
    let bytes_on_disk = fs::metadata(&path).map_err(io)?.len();
    Ok(WrittenFile { path, bytes_on_disk, stats })
}

/// The writer's own error: the plan has been checked before.
fn plain(error: WriteError) -> io::Error {
    match error {
        WriteError::Io { source, .. } => source,
        WriteError::Plan(error) => io::Error::other(error),
    }
}

/// Fills a file under a temporary name and gives it its own name when it is whole.
fn write_whole<T>(path: &Path, write: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let mut temporary = Temporary { path: path.with_file_name(name), is_renamed: false };
    let mut file = File::create(&temporary.path)?;
    let result = write(&mut file)?;
    drop(file);
    fs::rename(&temporary.path, path)?;
    temporary.is_renamed = true;
    Ok(result)
}

/// Removes a temporary file that was never finished.
struct Temporary {
    path: PathBuf,
    is_renamed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            // The error that ended the writing is the one to tell; this file is hidden and no glob finds it.
            let _ = fs::remove_file(&self.path);
        }
    }
}
