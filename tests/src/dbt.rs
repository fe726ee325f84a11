//! dbt, run by a host that has it loaded: one for a test binary, which ends with it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::service::Service;
use crate::world::{Finished, python, repository};

/// What the host is asked for.
#[derive(Serialize)]
struct Request<'a> {
    arguments: &'a [&'a str],
    environment: BTreeMap<String, String>,
}

/// How a command has ended.
#[derive(Deserialize)]
struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs dbt as a command with the variables that `environment` has, which is not run itself.
///
/// # Panics
/// Where the host does not start, or ends before it answers.
pub(crate) fn run(arguments: &[&str], environment: &Command) -> Finished {
    let variables = environment.get_envs().filter_map(|(name, value)| {
        Some((name.to_string_lossy().into_owned(), value?.to_string_lossy().into_owned()))
    });
    let request = Request { arguments, environment: variables.collect() };
    let mut host = TcpStream::connect(host()).expect("the host of dbt listens");
    serde_json::to_writer(&mut host, &request).expect("the host of dbt reads the request");
    host.write_all(b"\n").expect("the host of dbt reads the request");
    let mut answer = String::new();
    BufReader::new(host).read_line(&mut answer).expect("the host of dbt answers");
    let Answer { code, stdout, stderr } = serde_json::from_str(&answer)
        .unwrap_or_else(|error| panic!("dbt {arguments:?} ended without an answer ({error}): {answer}"));
    Finished { code, stdout, stderr }
}

/// The host's address; it is started at the first call.
fn host() -> SocketAddr {
    static HOST: Service = Service::new();
    HOST.address(|| {
        let mut host = python("dbt", "python");
        host.arg(repository().join("tests/dbt/host.py"));
        (host, "dbt listens on ")
    })
}
