//! The process an engine library lives in, and the watch that ends it in good order.

use std::env;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};

mod library;

use crate::service;

/// The first argument that makes a host executable an engine's process.
pub const HOST_ARGUMENT: &str = "__clickhouse-engine";

/// How long an engine whose owner is gone may take to end in good order.
const GRACE: Duration = Duration::from_secs(60);

/// The process failed before the engine had a say (`EX_SOFTWARE`).
const EXIT_DEFECT: u8 = 70;

/// Whether this program's `main` has called [`run_if_host`].
static CAN_HOST: AtomicBool = AtomicBool::new(false);

/// Does what the hidden first arguments ask for: hosts an engine, or supervises a background server.
///
/// To be called first thing in `main`, before any thread is started. `Some` means that this was such a process, whose
/// work is done: return the code. `None` means that the program is run for its own sake.
pub fn run_if_host() -> Option<ExitCode> {
    CAN_HOST.store(true, Ordering::Relaxed);
    let mut arguments = env::args_os().skip(1);
    let first = arguments.next()?;
    if first == HOST_ARGUMENT {
        return Some(host(arguments));
    }
    if first == service::SUPERVISOR_ARGUMENT {
        return Some(service::supervise(arguments));
    }
    None
}

/// Whether this program can be run again as a host.
pub(crate) fn can_host() -> bool {
    CAN_HOST.load(Ordering::Relaxed)
}

/// Runs the engine: the arguments are the library's path and what `clickhouse local` is to be told.
fn host(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(path) = arguments.next().map(PathBuf::from) else {
        eprintln!("{HOST_ARGUMENT} needs the path of an engine library");
        return ExitCode::from(EXIT_DEFECT);
    };
    let arguments: Result<Vec<CString>, _> =
        arguments.map(|argument| CString::new(argument.into_vec())).collect();
    let Ok(arguments) = arguments else {
        eprintln!("{HOST_ARGUMENT}: an argument holds a NUL byte");
        return ExitCode::from(EXIT_DEFECT);
    };
    if let Err(error) = watch() {
        eprintln!("cannot watch the engine's owner: {error}");
        return ExitCode::from(EXIT_DEFECT);
    }
    match library::run_clickhouse_local(&path, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The addresses that follow mean something to the engine's authors only.
            let error = error.split(", Stack trace").next().unwrap_or_default();
            eprintln!("{}: {error}", path.display());
            ExitCode::from(EXIT_DEFECT)
        }
    }
}

/// Puts a pipe of our own in the place of standard input, and starts the thread that closes it when the owner's end
/// of the former one is closed, or when this process is asked to end.
///
/// So the engine, which ends in good order when its input does, also does so on SIGTERM (left alone, it would die
/// of that signal on the spot), and never outlives its owner for longer than [`GRACE`].
fn watch() -> io::Result<()> {
    let owner = io::stdin().as_fd().try_clone_to_owned()?;
    let (engine_input, keeper) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::stdio::dup2_stdin(&engine_input)?;
    let (signalled, signal) = UnixStream::pair()?;
    for number in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(number, signal.try_clone()?)?;
    }
    thread::Builder::new().name("owner-watch".into()).spawn(move || {
        wait_for_end(&owner, &signalled.into());
        drop(keeper);
        thread::sleep(GRACE);
        // Still here: a query that does not end, or a defect. What was acknowledged is on disk.
        eprintln!("the engine did not end within {GRACE:?} and is killed");
        let _ = kill_process(getpid(), Signal::KILL);
    })?;
    Ok(())
}

/// Returns when the other end of `owner` is closed, or `signalled` has something to read.
fn wait_for_end(owner: &OwnedFd, signalled: &OwnedFd) {
    loop {
        // The owner never writes, so that this is its hanging up; `IN` too, for inputs other than pipes.
        let mut descriptors = [PollFd::new(owner, PollFlags::IN), PollFd::new(signalled, PollFlags::IN)];
        match poll(&mut descriptors, None) {
            Err(rustix::io::Errno::INTR) => {}
            // Any other error: no watch is possible, and better an engine that ends than one that never does.
            Ok(_) | Err(_) => return,
        }
    }
}
