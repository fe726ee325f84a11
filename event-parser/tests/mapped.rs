//! Lines that a mapper reads: the same rows and rejects as those that the parser reads itself.

use std::fmt::Write as _;

use event_generator::{Generator, Plan, Spelling};
use event_parser::columns::View;
use event_parser::mapped::{
    EventBuilder, FieldId, FieldValue, LineMapper, MappedParser, SourceLine, check_json,
};
use event_parser::{Backend, Batch, Options, Parser, Violation};
use event_schema::Reason;
use event_schema::registry::ENVELOPE;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

const ID: &str = "018f2c6e-7b1a-7c3d-9e4f-0123456789ab";

fn options() -> Options {
    Options::new("2026-03-01".parse().unwrap())
}

fn field(name: &str) -> FieldId {
    FieldId::envelope(name).expect("the contract has the field")
}

/// Maps every field to itself.
struct Identity;

impl LineMapper for Identity {
    fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation> {
        check_json(line.text)?;
        events.begin(0);
        for (key, value) in members(line.text) {
            match FieldId::envelope(&key) {
                Some(field) => set(events, field, value),
                None => events.keep_unknown(false, &serde_json::to_string(&key).unwrap(), value),
            }
        }
        events.end();
        Ok(())
    }
}

fn set(events: &mut EventBuilder<'_>, field: FieldId, value: &str) {
    let string: String;
    let value = match value.as_bytes()[0] {
        b'"' => {
            string = serde_json::from_str(value).unwrap();
            FieldValue::String(&string)
        }
        b't' | b'f' => FieldValue::Bool(value == "true"),
        b'n' => FieldValue::Null,
        b'{' => FieldValue::Object(value),
        b'[' => FieldValue::Array,
        _ => FieldValue::Number(value),
    };
    events.set(field, value);
}

/// The members of a valid object, repeated ones included.
fn members(text: &str) -> Vec<(String, &str)> {
    struct ReadMembers;

    impl<'de> Visitor<'de> for ReadMembers {
        type Value = Vec<(String, &'de str)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                members.push((key, value.get()));
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(ReadMembers).expect("it has been checked")
}

/// Every value of a batch's rows, sorted, and its rejects.
fn content(batch: &Batch) -> (Vec<String>, String, (u64, u64)) {
    let mut rows = Vec::new();
    for table in batch.tables() {
        let columns: Vec<_> = table.envelope().columns().into_iter().chain(table.own_columns()).collect();
        for row in 0..table.rows() {
            let values = columns.iter().map(|(name, view)| format!("{name}={}", value(view, row)));
            rows.push(format!("{}: {}", table.id().name(), values.collect::<Vec<_>>().join(" ")));
        }
    }
    rows.sort();
    (rows, format!("{:#?}", batch.rejects()), (batch.lines, batch.blank_lines))
}

fn value(view: &View<'_>, row: usize) -> String {
    match view {
        View::Fixed { bytes, width } => format!("{:?}", &bytes[row * width..][..*width]),
        View::Nullable { bytes, width, nulls } => {
            format!("{:?}/{}", &bytes[row * width..][..*width], nulls[row])
        }
        View::Strings(strings) => strings.get(row).escape_ascii().to_string(),
        View::Dictionary(dictionary) => dictionary.get(row).escape_ascii().to_string(),
    }
}

fn assert_same_as_unmapped(source: &[u8], options: &Options) {
    let (mut ours, mut theirs) = (Batch::default(), Batch::default());
    let mut parser = Parser::new("day", options.clone());
    assert_eq!(parser.push(source, &mut ours), source.len());
    parser.finish(&mut ours);
    let mut mapped = MappedParser::new("day", options.clone(), Identity);
    for piece in source.chunks(10_007) {
        assert_eq!(mapped.push(piece, &mut theirs), piece.len());
    }
    mapped.finish(&mut theirs);
    pretty_assert(&content(&theirs), &content(&ours));
}

/// Shows the first difference only: days are long.
fn pretty_assert(mapped: &(Vec<String>, String, (u64, u64)), unmapped: &(Vec<String>, String, (u64, u64))) {
    assert_eq!(mapped.2, unmapped.2);
    for (mapped, unmapped) in mapped.0.iter().zip(&unmapped.0) {
        assert_eq!(mapped, unmapped);
    }
    assert_eq!(mapped.0.len(), unmapped.0.len());
    for (mapped, unmapped) in mapped.1.lines().zip(unmapped.1.lines()) {
        assert_eq!(mapped, unmapped);
    }
    assert_eq!(mapped.1.len(), unmapped.1.len());
}

#[test]
fn an_identity_mapping_gives_what_no_mapping_gives() {
    let date = "2026-03-01".parse().unwrap();
    for spelling in [Spelling::Mixed, Spelling::Script, Spelling::Shuffled, Spelling::Prose] {
        let plan = Plan { reject_share: 0.3, spelling, ..Plan::new(date, 1, 300) };
        let mut day = Vec::new();
        Generator::new(plan).unwrap().write_day(date, 0, 1, &mut day).unwrap();
        for backend in Backend::available() {
            let options = options().with_batch_bytes(1 << 30).with_backend(backend);
            assert_same_as_unmapped(&day, &options);
        }
    }
}

#[test]
fn lines_with_every_kind_of_violation_are_rejected_alike() {
    let good = format!(r#""event_id":"{ID}","user_id":"u","event_time":"2026-03-01T09:30:00Z""#);
    let lines = [
        format!("\u{feff}{{{good},\"event_type\":\"opened\",\"x\":[1,\"\\u00e9\"]}}"),
        String::new(),
        " \t\r".to_owned(),
        format!("{{{good},\"event_type\":\"opened\",\"properties\":[]}}"),
        format!("{{{good},\"event_type\":\"opened\",\"properties\":null}}\r"),
        format!("{{{good},\"event_type\":\"session\",\"session_id\":\"\"}}"),
        format!(
            "{{{good},\"event_type\":\"refund\",\"properties\":{{\"amount\":-1,\"currency\":\"usd\",\"y\":{{}}}}}}"
        ),
        format!(
            "{{{good},\"event_type\":\"refund\",\"user_id\":\"v\",\"properties\":{{\"amount\":1,\"amount\":2}}}}"
        ),
        format!(
            "{{{good},\"event_type\":\"refund\",\"properties\":{{\"purchase_id\":\"\\u0070\",\"amount\":1.5,\"currency\":\"USD\"}}}}"
        ),
        format!("{{{good},\"event_type\":7}}"),
        "{\"a\":1,}".to_owned(),
        "[1]".to_owned(),
        "{\"a\":\"\\ud800\"}".to_owned(),
        format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200)),
        format!("{{\"a\":\"{}\"}}", "x".repeat(500)),
        format!("{{{good},\"event_type\":\"opened\",\"country\":\"K\\u0000\"}}"),
    ];
    let mut source = lines.join("\n").into_bytes();
    source.extend_from_slice(b"\n{\"a\":\"\xff\"}\n");
    source.extend_from_slice(format!("{{{good},\"event_type\":\"opened\"}}").as_bytes());
    assert_same_as_unmapped(&source, &options().with_max_line_bytes(480));
}

/// Elements between `;`: each an event of the fields between `,`, tagged with its number.
struct Elements {
    task: [FieldId; 2],
}

impl LineMapper for Elements {
    fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation> {
        if line.text == "bad line" {
            return Err(Violation::of_line(Reason::InvalidValue, "not a list of elements"));
        }
        for (tag, element) in (0..).zip(line.text.split(';')) {
            if element == "bad element" {
                events.reject(Violation::of_line(Reason::InvalidValue, format!("element {tag} is bad")));
                continue;
            }
            let (task, is_correct) = element.split_once(',').unwrap();
            events.begin(tag);
            events.set(field("event_id"), FieldValue::String(ID));
            events.set(field("event_type"), FieldValue::String("task_result"));
            events.set(field("user_id"), FieldValue::String("u"));
            events.set(field("event_time"), FieldValue::String("2026-03-01T09:30:00Z"));
            events.set(self.task[0], FieldValue::String(task));
            match is_correct {
                "?" => events.fail(self.task[1], Reason::InvalidValue, "neither right nor wrong"),
                text => events.set(self.task[1], FieldValue::Bool(text == "right")),
            }
            events.keep_unknown(true, "\"z\"", "[1]");
            events.end();
        }
        Ok(())
    }

    fn explain(&mut self, line: SourceLine<'_>, tag: u32, violation: &mut Violation) {
        let element = line.text.split(';').nth(tag as usize).unwrap();
        write!(violation.message, " (element {tag}: {element})").expect("writing to a string");
    }
}

#[test]
fn a_line_may_have_several_events_and_reject_some() {
    let task = ["task_id", "is_correct"].map(|name| FieldId::payload("task_result", name).unwrap());
    let mut parser = MappedParser::new("day", options(), Elements { task });
    let mut batch = Batch::default();
    let source = "a,right;,wrong;b,wrong\nbad line\nc,?;bad element;d,right\n";
    parser.push(source.as_bytes(), &mut batch);
    parser.finish(&mut batch);

    let results = &batch.task_results;
    let tasks: Vec<_> = (0..3).map(|row| results.task_id.get(row)).collect();
    assert_eq!(tasks, [b"a", b"b", b"d"]);
    assert_eq!(results.is_correct.values(), [1, 0, 1]);
    assert_eq!(results.envelope.source_line.values(), [1, 1, 3]);
    assert_eq!(results.envelope.extra.get(2), br#"{"properties":{"z":[1]}}"#);
    let rejects: Vec<_> = batch
        .rejects()
        .iter()
        .map(|reject| {
            let Violation { reason, field, message, .. } = reject.first();
            format!("{} {} {reason} {field}: {message}", reject.line, reject.byte_offset)
        })
        .collect();
    let expected = "expected 1 to 256 bytes of text without control characters, found the string \"\"";
    assert_eq!(
        rejects,
        [
            format!("1 0 invalid_value properties.task_id: {expected} (element 1: ,wrong)"),
            "2 23 invalid_value : not a list of elements".to_owned(),
            "3 32 invalid_value : element 1 is bad".to_owned(),
            "3 32 invalid_value properties.is_correct: neither right nor wrong (element 0: c,?)".to_owned(),
        ]
    );
    assert_eq!(batch.rejects()[0].raw, b"a,right;,wrong;b,wrong");
}

#[test]
fn field_ids_are_those_of_the_contract() {
    for of_the_contract in &ENVELOPE {
        assert!(FieldId::envelope(of_the_contract.name).is_some());
    }
    assert!(FieldId::envelope("amount").is_none());
    assert!(FieldId::payload("refund", "plan").is_none());
    assert!(FieldId::payload("opened", "plan").is_none());
    assert_ne!(FieldId::payload("refund", "amount"), FieldId::payload("purchase", "amount"));
}
