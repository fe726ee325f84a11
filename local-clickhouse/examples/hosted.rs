//! Hosts a ClickHouse until Enter is pressed: `cargo run -p local-clickhouse --example hosted -- FOLDER`.

use std::process::ExitCode;

use local_clickhouse::{Server, run_if_host};

fn main() -> ExitCode {
    // The engine runs in a second process of this program.
    if let Some(code) = run_if_host() {
        return code;
    }
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: hosted FOLDER");
        return ExitCode::from(2);
    };
    match Server::builder().data_dir(folder).start() {
        Ok(server) => {
            println!("ClickHouse answers at {}; press Enter to stop it", server.url());
            let _ = std::io::stdin().read_line(&mut String::new());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
