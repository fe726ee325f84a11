//! The contract, version 1: edit this file to add a field or an event type.
//!
//! After an edit run `cargo xtask codegen`, and add the field to the typed event in [`crate::event`]. Tests fail until
//! they agree.

use super::{Bookkeeping, Column, ColumnType, Entity, EventType, Field, Order, Rule, Scalar};

use ColumnType::{Array, Counts, LowCardinality, Nullable, Plain, Sources};

/// The fields of every event, in the order in which they are checked, reported and stored.
pub const ENVELOPE: [Field; 9] = [
    required("event_id", Rule::Uuid, Plain(Scalar::Uuid), "The event's own id, made by the producer."),
    required(
        "event_type",
        Rule::Text { max: 128 },
        LowCardinality,
        "What happened; routes the event to its table.",
    ),
    required("user_id", Rule::Text { max: 256 }, Plain(Scalar::String), "Who did it."),
    required(
        "event_time",
        Rule::EventTime,
        Plain(Scalar::DateTime),
        "When it happened, in UTC; finer digits than milliseconds are cut off.",
    ),
    optional(
        "session_id",
        Rule::Text { max: 256 },
        Plain(Scalar::String),
        "The session it happened in; empty where unknown.",
    ),
    optional(
        "platform",
        Rule::Text { max: 64 },
        LowCardinality,
        "Where it happened: ios, android, web, …; empty where unknown.",
    ),
    optional(
        "app_version",
        Rule::Text { max: 64 },
        LowCardinality,
        "The product's version there; empty where unknown.",
    ),
    optional(
        "country",
        Rule::Letters(2),
        LowCardinality,
        "The user's country, ISO 3166-1 alpha-2; empty where unknown.",
    ),
    Field {
        name: "properties",
        rule: Rule::Object,
        required: false,
        column: None,
        unit: None,
        doc: "The payload: the fields of the event's type.",
    },
];

/// The date of the day file.
pub(super) const BATCH_DATE: Column =
    Column::new("batch_date", Plain(Scalar::Date), "The date of the day file the row came in.");
/// What the contract does not know.
pub(super) const EXTRA: Column = Column::new(
    "extra",
    Plain(Scalar::String),
    "Fields the contract does not know, as JSON: envelope keys at the top, payload keys under `properties`; \
     empty where there are none.",
);
/// The source's name.
pub(super) const SOURCE_FILE: Column =
    Column::new("source_file", LowCardinality, "The source the row came from, as it was named.");
/// The line in the source.
pub(super) const SOURCE_LINE: Column =
    Column::new("source_line", Plain(Scalar::UInt64), "The row's line in that source.")
        .with_unit("lines, from 1");
/// The load's id.
pub(super) const LOAD_ID: Column =
    Column::new("load_id", Plain(Scalar::Uuid), "The load that stored the row (UUIDv7).");

/// The five tables of events, in the order of all lists.
pub const ENTITIES: [&Entity; 5] = [&EVENTS, &PURCHASES, &TASK_RESULTS, &SESSIONS, &AB_TEST_ASSIGNMENTS];

/// Events of every type that has no table of its own.
pub const EVENTS: Entity = Entity {
    table: "events",
    event_types: &[],
    made_columns: &[Column::new(
        "properties",
        Plain(Scalar::String),
        "The payload as it stood in the line, byte for byte; `{}` where there was none.",
    )],
    field_columns: &[],
    doc: "Everything that happened and has no table of its own.",
};

const PURCHASE_ID: Field = required(
    "purchase_id",
    Rule::Text { max: 256 },
    Plain(Scalar::String),
    "The purchase; a refund names the one it gives back.",
);
const AMOUNT: Field = Field {
    name: "amount",
    rule: Rule::Amount,
    required: true,
    column: Some(Plain(Scalar::Decimal)),
    unit: Some("units of `currency`"),
    doc: "The money paid; for a refund the money given back, positive as well.",
};
const CURRENCY: Field =
    required("currency", Rule::Letters(3), LowCardinality, "The amount's currency, ISO 4217.");

/// Money: subscriptions bought and money given back.
pub const PURCHASES: Entity = Entity {
    table: "purchases",
    event_types: &[
        EventType {
            name: "purchase",
            fields: &[
                PURCHASE_ID,
                required(
                    "plan",
                    Rule::Text { max: 64 },
                    LowCardinality,
                    "The plan bought; empty for a refund.",
                ),
                AMOUNT,
                CURRENCY,
                required(
                    "period_start",
                    Rule::Date,
                    Nullable(Scalar::Date),
                    "The first day paid for; NULL for a refund.",
                ),
                required(
                    "period_end",
                    Rule::Date,
                    Nullable(Scalar::Date),
                    "The day after the last day paid for; NULL for a refund.",
                ),
                optional(
                    "is_trial",
                    Rule::Boolean,
                    Plain(Scalar::Bool),
                    "Whether it is a trial; false where absent.",
                ),
            ],
            required_envelope: &[],
            order: Some(Order { earlier: "period_start", later: "period_end", may_be_equal: false }),
            doc: "A plan is bought, renewed or tried.",
        },
        EventType {
            name: "refund",
            fields: &[PURCHASE_ID, AMOUNT, CURRENCY],
            required_envelope: &[],
            order: None,
            doc: "Money of a purchase is given back, all or in part.",
        },
    ],
    made_columns: &[Column::new("kind", LowCardinality, "`purchase` or `refund`.")],
    field_columns: &["purchase_id", "plan", "amount", "currency", "period_start", "period_end", "is_trial"],
    doc: "Purchases and refunds.",
};

/// Learning: tasks tried.
pub const TASK_RESULTS: Entity = Entity {
    table: "task_results",
    event_types: &[EventType {
        name: "task_result",
        fields: &[
            required("task_id", Rule::Text { max: 256 }, Plain(Scalar::String), "The task tried."),
            required("is_correct", Rule::Boolean, Plain(Scalar::Bool), "Whether it was solved."),
            optional(
                "course_id",
                Rule::Text { max: 256 },
                Plain(Scalar::String),
                "The task's course; empty where unknown.",
            ),
            optional(
                "lesson_id",
                Rule::Text { max: 256 },
                Plain(Scalar::String),
                "The task's lesson; empty where unknown.",
            ),
            optional("score", Rule::Share, Nullable(Scalar::Float64), "How well, from 0 to 1.")
                .with_unit("share"),
            optional(
                "attempt",
                Rule::Integer { min: 1, max: 65_535 },
                Nullable(Scalar::UInt16),
                "Which attempt of this user at this task it was.",
            )
            .with_unit("attempts, from 1"),
            optional(
                "duration_ms",
                Rule::Integer { min: 0, max: u32::MAX },
                Nullable(Scalar::UInt32),
                "How long it took.",
            )
            .with_unit("milliseconds"),
            optional(
                "hints_used",
                Rule::Integer { min: 0, max: 65_535 },
                Nullable(Scalar::UInt16),
                "How many hints were opened.",
            )
            .with_unit("hints"),
        ],
        required_envelope: &[],
        order: None,
        doc: "A user answers a task.",
    }],
    made_columns: &[],
    field_columns: &[
        "task_id",
        "course_id",
        "lesson_id",
        "is_correct",
        "score",
        "attempt",
        "duration_ms",
        "hints_used",
    ],
    doc: "Answers to tasks.",
};

/// Visits.
pub const SESSIONS: Entity = Entity {
    table: "sessions",
    event_types: &[EventType {
        name: "session",
        fields: &[
            required("started_at", Rule::Time, Plain(Scalar::DateTime), "When the session began, in UTC."),
            optional(
                "ended_at",
                Rule::Time,
                Nullable(Scalar::DateTime),
                "When it ended, in UTC; NULL where unknown.",
            ),
            optional("device", Rule::Text { max: 128 }, LowCardinality, "The device; empty where unknown."),
            optional(
                "os",
                Rule::Text { max: 64 },
                LowCardinality,
                "Its operating system; empty where unknown.",
            ),
            optional(
                "referrer",
                Rule::Text { max: 2048 },
                Plain(Scalar::String),
                "Where the user came from; empty where unknown.",
            ),
        ],
        required_envelope: &["session_id"],
        order: Some(Order { earlier: "started_at", later: "ended_at", may_be_equal: true }),
        doc: "A user is in the product for a while.",
    }],
    made_columns: &[],
    field_columns: &["started_at", "ended_at", "device", "os", "referrer"],
    doc: "Sessions.",
};

/// Experiments.
pub const AB_TEST_ASSIGNMENTS: Entity = Entity {
    table: "ab_test_assignments",
    event_types: &[EventType {
        name: "ab_test_assignment",
        fields: &[
            required("experiment_id", Rule::Text { max: 256 }, LowCardinality, "The experiment."),
            required("variant", Rule::Text { max: 128 }, LowCardinality, "The variant the user sees."),
        ],
        required_envelope: &[],
        order: None,
        doc: "A user is put into a variant of an experiment.",
    }],
    made_columns: &[],
    field_columns: &["experiment_id", "variant"],
    doc: "Assignments of users to the variants of experiments.",
};

/// Lines that break the contract.
pub const REJECTED_EVENTS: Bookkeeping = Bookkeeping {
    table: "rejected_events",
    columns: &[
        BATCH_DATE,
        LOAD_ID,
        SOURCE_FILE,
        SOURCE_LINE,
        Column::new("byte_offset", Plain(Scalar::UInt64), "Where the line begins in the source.")
            .with_unit("bytes"),
        Column::new("reason", LowCardinality, "Why it was rejected: its first violation."),
        Column::new(
            "field",
            Plain(Scalar::String),
            "The field of that violation; empty for the line as a whole.",
        ),
        Column::new("message", Plain(Scalar::String), "What was expected and what stood there."),
        Column::new("violations", Array(Scalar::String), "Every violation of the line, each `reason field`."),
        Column::new(
            "raw",
            Plain(Scalar::String),
            "The line's bytes; of a line that is too long the first 64 KiB.",
        ),
    ],
    doc: "Lines that were rejected, with every reason.",
};

const DROPPED_LINES: Column =
    Column::new("dropped_lines", Counts, "Lines that the mapping has dropped, by its rules' words.")
        .with_unit("lines");
const MAPPING: Column = Column::new(
    "mapping",
    Plain(Scalar::String),
    "The mapping that the lines were read with: its name and a hash of what it says; empty for none.",
);

/// Commits of days.
pub const LOADS: Bookkeeping = Bookkeeping {
    table: "loads",
    columns: &[
        Column::new("batch_date", Plain(Scalar::Date), "The day committed."),
        Column::new("commit_id", Plain(Scalar::Uuid), "The commit (UUIDv7)."),
        Column::new("committed_at", Plain(Scalar::DateTime), "When, by the server's clock."),
        Column::new("load_ids", Array(Scalar::Uuid), "The loads that make up the day."),
        Column::new(
            "sources",
            Sources,
            "What was loaded: each source's name, its size in bytes, and its ETag or a hash of its content.",
        ),
        Column::new("lines", Plain(Scalar::UInt64), "All lines read, blank ones included.")
            .with_unit("lines"),
        Column::new("blank_lines", Plain(Scalar::UInt64), "Blank lines among them.").with_unit("lines"),
        Column::new("accepted_rows", Counts, "Rows stored, by table.").with_unit("rows"),
        Column::new("rejected_rows", Counts, "Lines rejected, by reason.").with_unit("lines"),
        DROPPED_LINES,
        MAPPING,
        Column::new("seconds", Plain(Scalar::Float64), "How long the load took.").with_unit("seconds"),
        Column::new("version", Plain(Scalar::String), "The version of Schoolbell that loaded it."),
    ],
    doc: "One row a commit. The latest of a date, by `committed_at` then `commit_id`, holds.",
};

/// Loads that wait to be committed together.
pub const STAGED_LOADS: Bookkeeping = Bookkeeping {
    table: "staged_loads",
    columns: &[
        BATCH_DATE,
        LOAD_ID,
        Column::new("staged_at", Plain(Scalar::DateTime), "When it was complete, by the server's clock."),
        Column::new("sources", Sources, "What was loaded, as in `loads`."),
        Column::new("lines", Plain(Scalar::UInt64), "All lines read, blank ones included.")
            .with_unit("lines"),
        Column::new("blank_lines", Plain(Scalar::UInt64), "Blank lines among them.").with_unit("lines"),
        Column::new("accepted_rows", Counts, "Rows stored, by table.").with_unit("rows"),
        Column::new("rejected_rows", Counts, "Lines rejected, by reason.").with_unit("lines"),
        DROPPED_LINES,
        MAPPING,
        Column::new("seconds", Plain(Scalar::Float64), "How long the load took.").with_unit("seconds"),
        Column::new("version", Plain(Scalar::String), "The version of Schoolbell that loaded it."),
    ],
    doc: "Loads that are stored whole and wait for a commit. Kept for a year.",
};

/// Loads that are being swept.
pub const DEAD_LOADS: Bookkeeping = Bookkeeping {
    table: "dead_loads",
    columns: &[
        BATCH_DATE,
        LOAD_ID,
        Column::new(
            "condemned_at",
            Plain(Scalar::DateTime),
            "When it was given up, by the server's clock: it can no longer be committed.",
        ),
    ],
    doc: "Loads given up as dead. Kept for a year.",
};

/// Rejected lines that a replay has accepted.
pub const REPLAYED_LINES: Bookkeeping = Bookkeeping {
    table: "replayed_lines",
    columns: &[
        BATCH_DATE,
        LOAD_ID,
        Column::new("rejected_by", Plain(Scalar::Uuid), "The load that had rejected the line."),
        SOURCE_FILE,
        SOURCE_LINE,
    ],
    doc: "Rejected lines that a replay (`load_id`) has accepted: `rejected_events` leaves them out.",
};

const fn required(name: &'static str, rule: Rule, column: ColumnType, doc: &'static str) -> Field {
    Field { name, rule, required: true, column: Some(column), unit: None, doc }
}

const fn optional(name: &'static str, rule: Rule, column: ColumnType, doc: &'static str) -> Field {
    Field { name, rule, required: false, column: Some(column), unit: None, doc }
}

impl Field {
    const fn with_unit(mut self, unit: &'static str) -> Field {
        self.unit = Some(unit);
        self
    }
}
