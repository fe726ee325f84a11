//! The log: what the program and its libraries say on stderr while they work.
//!
//! Warnings are always shown, one a line. `-v` adds what is done, step by step, `-vv` each block, request and attempt;
//! `SCHOOLBELL_LOG` chooses by crate. Only events of Schoolbell's own crates are shown: other libraries log headers and
//! addresses, and with them secrets.

use std::fmt::{self, Write as _};
use std::io::stderr;
use std::sync::OnceLock;

use event_schema::value::visible;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt as log};

use crate::environment;
use crate::failure::{Failure, Outcome};

/// The variable with filters.
const VARIABLE: &str = "SCHOOLBELL_LOG";
/// This program's own events.
const OWN: &str = "schoolbell";
/// The crates whose events are shown: none of their events holds a secret.
const CRATES: [&str; 3] = [OWN, "ch_sink", "event_source"];

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    Text,
    /// A JSON document a line
    Json,
}

/// The crate of a module, like `ch_sink::load`.
fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or(target)
}

/// The format, once the log has begun.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Begins the log; an error if the variable cannot be used.
pub(crate) fn start(verbose: u8, quiet: bool, format: LogFormat) -> Outcome {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let targets = match environment::variable(VARIABLE)? {
        None => Targets::new().with_default(level),
        Some(filters) => filters.parse::<Targets>().map_err(|_| {
            let problem = "it is no level (error, warn, info, debug, trace, off) and no list of crates with levels, such as \
                           ch_sink=debug,event_source=info";
            environment::unusable(VARIABLE, problem)
        })?,
    };
    // Spans cost little, and tell what an event is about.
    let is_shown = filter_fn(move |metadata| {
        let target = metadata.target();
        let is_ours = CRATES.contains(&crate_of(target));
        let is_failure = target == OWN && *metadata.level() == Level::ERROR;
        is_ours && (metadata.is_span() || is_failure || targets.would_enable(target, metadata.level()))
    });
    let layer = match format {
        LogFormat::Text => {
            let is_detailed = level > LevelFilter::WARN;
            log::layer().event_format(Text { is_detailed }).with_writer(stderr).boxed()
        }
        LogFormat::Json => {
            log::layer().json().flatten_event(true).with_current_span(false).with_writer(stderr).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(is_shown)).init();
    let _ = FORMAT.set(format);
    Ok(())
}

/// Says something that whoever started the program should know.
pub(crate) fn warn(text: impl fmt::Display) {
    tracing::warn!(target: OWN, "{text}");
}

/// Says why the program ends.
pub(crate) fn failed(failure: &Failure) {
    match FORMAT.get() {
        Some(LogFormat::Json) => tracing::error!(target: OWN, exit_code = failure.code() as u8, "{failure}"),
        // Also where the command line is wrong.
        _ => eprintln!("schoolbell: {failure}"),
    }
}

/// Lines for people: the message; with details also when, how bad, in which spans, and the other fields.
struct Text {
    is_detailed: bool,
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { message, others } = fields;
        let metadata = event.metadata();
        // What the program says is written for people, in lines; libraries may name files as they are.
        let message = if crate_of(metadata.target()) == OWN { message } else { visible(&message) };
        if !self.is_detailed {
            return writeln!(writer, "schoolbell: {message}");
        }
        let mut spans = String::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.fields.as_str());
            write!(spans, "{}{{{}}}: ", span.name(), visible(fields))?;
        }
        SystemTime.format_time(&mut writer)?;
        writeln!(writer, " {:>5} {spans}{message}{}", metadata.level(), visible(&others))
    }
}

/// An event's message, and its other fields as ` name=value`.
#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
        written.expect("writing to a string");
    }
}
