//! `unload`: a day taken back.

use ch_sink::{Need, UnloadReport, UnloadStatus};

use super::{Talk, connect, runtime};
use crate::args;
use crate::failure::{Failure, Outcome};
use crate::logging::warn;
use crate::output::counts;

pub(crate) fn run(args: &args::Unload, talk: Talk) -> Outcome {
    let report = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::Unload).await?;
        Ok::<_, Failure>(ch_sink::unload(&warehouse, args.batch_date).await?)
    })?;
    for warning in &report.warnings {
        warn(format_args!("{warning}"));
    }
    talk.output.print(&report, as_text)
}

fn as_text(report: &UnloadReport) -> String {
    let batch_date = report.batch_date;
    match report.status {
        UnloadStatus::Unloaded => {
            let removed = report.removed.iter().map(|(table, rows)| (table.as_str(), *rows));
            format!(
                "{batch_date} is taken back; the marts lose it with the next `dbt build`\n{}",
                counts(removed)
            )
        }
        _ => format!("{batch_date} is not loaded; nothing was changed\n"),
    }
}
