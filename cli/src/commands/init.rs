//! `init`: the `raw` tables.

use event_schema::generate;
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
    runtime()?.block_on(async { connect(&args.connection).await?.init().await.map_err(Failure::from) })?;
    talk.output.print(&json!({ "database": databases.raw() }), |_| {
        format!("the tables of `{}` are there\n", databases.raw())
    })
}
