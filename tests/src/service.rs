//! Servers that are programs of others: started once for a test binary, and ended with it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Installing the program, where it is missing, takes longer than the server's start.
const START_DEADLINE: Duration = Duration::from_secs(300);
/// Ends its program when its own standard input ends, as it does with the process at the other end of the pipe.
const UNTIL_STDIN_ENDS: &str = r#""$@" & program=$!; read -r _; kill $program"#;

/// A server that a test binary has one of.
#[derive(Debug)]
pub(crate) struct Service(Mutex<Option<(Child, SocketAddr)>>);

impl Service {
    pub(crate) const fn new() -> Service {
        Service(Mutex::new(None))
    }

    /// Its address. At the first call it is started: by a program, and known to listen by what that says right before
    /// its address, in a line of its own.
    ///
    /// # Panics
    /// Where it does not start.
    pub(crate) fn address(&self, program: impl FnOnce() -> (Command, &'static str)) -> SocketAddr {
        let mut service = self.0.lock().expect("no test panics while it starts the server");
        let start = || {
            let (program, listens) = program();
            start(&program, listens)
        };
        service.get_or_insert_with(start).1
    }
}

fn start(program: &Command, listens: &'static str) -> (Child, SocketAddr) {
    let mut command = Command::new("sh");
    // What it says goes to one stream, wherever the program says it.
    command.args(["-c", &format!("exec 2>&1; {UNTIL_STDIN_ENDS}"), "sh"]);
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().expect("it starts in the repository"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("a shell");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|read| read > 0) {
            let is_up = line.contains(listens);
            // Nobody waits any more after the deadline.
            let _ = sender.send(std::mem::take(&mut line));
            if is_up {
                break;
            }
        }
        // It logs every request, and would wait if nobody read that.
        let mut rest = [0; 4096];
        while output.read(&mut rest).is_ok_and(|read| read > 0) {}
    });
    let mut said = String::new();
    let address = loop {
        match lines.recv_timeout(START_DEADLINE) {
            Ok(line) => {
                said.push_str(&line);
                if let Some((_, address)) = line.split_once(listens) {
                    break address.trim().parse().expect("the server says its address and port");
                }
            }
            Err(RecvTimeoutError::Timeout) => panic!("a server does not start: {said}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("a server ended: {said}\nto install what is missing: cargo xtask setup")
            }
        }
    };
    (child, address)
}
