//! `warehouse`: a local ClickHouse in the background.

use local_clickhouse::service::{self, Status};
use local_clickhouse::{StartError, StopError};
use serde_json::json;

use super::Talk;
use crate::args::{DataFolder, Warehouse};
use crate::failure::{Code, Failure, Outcome};

pub(crate) fn run(args: &Warehouse, talk: Talk) -> Outcome {
    match args {
        Warehouse::Start { data: DataFolder { data }, http_port, tcp_port } => {
            let options = service::Options {
                data_dir: data.clone(),
                http_port: *http_port,
                tcp_port: *tcp_port,
                host_executable: None,
            };
            let status = service::start(&options).map_err(start_failure)?;
            talk.output.print(&status, running)
        }
        Warehouse::Stop { data: DataFolder { data } } => {
            let stopped = service::stop(data).map_err(|error| stop_failure(&error))?;
            talk.output.print(&json!({ "stopped": stopped.is_some() }), |_| match stopped {
                Some(status) => format!("stopped; its tables stay in {}\n", status.data.display()),
                None => format!("no warehouse runs in {}\n", data.display()),
            })
        }
        Warehouse::Status { data: DataFolder { data } } => match service::status(data)? {
            Some(status) => talk.output.print(&status, running),
            None => Err(Failure::new(Code::NoInput, format_args!("no warehouse runs in {}", data.display()))),
        },
    }
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
