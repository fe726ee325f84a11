//! `init`: the `raw` tables.

use ch_sink::Need;
use event_schema::generate::{self, TABLES_VERSION};
use serde_json::json;

use super::{Talk, connect, runtime};
use crate::args;
use crate::failure::{Failure, Outcome};

pub(crate) fn run(args: &args::Init, talk: Talk) -> Outcome {
    let databases = &args.connection.names.database_prefix;
    if args.print {
        let statements = generate::ddl(databases, args.connection.cluster.as_ref());
        return talk.output.print(&statements, |statements| statements.join(";\n\n") + ";\n");
    }
    let has_changed = runtime()?.block_on(async {
        connect(&args.connection, Need::Init).await?.init().await.map_err(Failure::from)
    })?;
    let report = json!({ "database": databases.raw(), "version": TABLES_VERSION, "changed": has_changed });
    talk.output.print(&report, |_| {
        let done = if has_changed { "are there" } else { "were there already; nothing was changed" };
        format!("the tables of `{}` {done} (version {TABLES_VERSION})\n", databases.raw())
    })
}
