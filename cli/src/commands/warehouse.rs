//! `warehouse`: a local ClickHouse in the background.

use local_clickhouse::service::{self, Status};
use local_clickhouse::{StartError, StopError};
use serde_json::json;

use super::Talk;
use crate::args::{DataFolder, Warehouse};
use crate::failure::{Code, Failure, Outcome};

pub(crate) fn run(args: &Warehouse, talk: Talk) -> Outcome {
    match args {
        Warehouse::Start { data, http_port, tcp_port } => {
            let options = service::Options {
                data_dir: data.path(),
                http_port: *http_port,
                tcp_port: *tcp_port,
                host_executable: None,
            };
            let status = service::start(&options).map_err(start_failure)?;
            talk.output.print(&status, running)
        }
        Warehouse::Stop { data } => stop(data, talk),
        Warehouse::Status { data } => match service::status(&data.path())?.or_else(|| elsewhere(data)) {
            Some(status) => talk.output.print(&status, running),
            None => Err(Failure::new(Code::NoInput, none_runs(data, &service::running()))),
        },
    }
}

fn stop(data: &DataFolder, talk: Talk) -> Outcome {
    let mut stopped = service::stop(&data.path()).map_err(|error| stop_failure(&error))?;
    if stopped.is_none()
        && let Some(elsewhere) = elsewhere(data)
    {
        stopped = service::stop(&elsewhere.data).map_err(|error| stop_failure(&error))?;
    }
    let others = if stopped.is_none() { service::running() } else { Vec::new() };
    if data.data.is_none() && !others.is_empty() {
        return Err(Failure::new(Code::NoInput, none_runs(data, &others)));
    }
    talk.output.print(&json!({ "stopped": stopped.is_some() }), |_| match stopped {
        Some(status) => format!("stopped; its tables stay in {}\n", status.data.display()),
        None => none_runs(data, &others) + "\n",
    })
}

/// The one that runs elsewhere, if no folder was named and there is just one.
fn elsewhere(data: &DataFolder) -> Option<Status> {
    if data.data.is_some() {
        return None;
    }
    let mut running = service::running();
    if running.len() == 1 { running.pop() } else { None }
}

/// That none runs there, and which do elsewhere.
fn none_runs(data: &DataFolder, others: &[Status]) -> String {
    let mut text = format!("no warehouse runs in {}", data.path().display());
    if !others.is_empty() {
        let folders: Vec<String> = others.iter().map(|status| status.data.display().to_string()).collect();
        text.push_str("; one that runs is named by --data: ");
        text.push_str(&folders.join(", "));
    }
    text
}

fn running(status: &Status) -> String {
    format!(
        "ClickHouse answers at {} (native protocol: {}), process {}, tables in {}\n",
        status.url,
        status.tcp,
        status.pid,
        status.data.display()
    )
}

fn start_failure(error: StartError) -> Failure {
    let code = match error {
        StartError::Engine(_) => Code::NoInput,
        StartError::Supervisor { .. } => Code::Defect,
        _ => Code::Temporary,
    };
    Failure::new(code, error)
}

fn stop_failure(error: &StopError) -> Failure {
    Failure::new(Code::Temporary, error)
}
