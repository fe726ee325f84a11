"""What one could do in Python: msgspec into typed structs, clickhouse-connect's columnar inserts.

A part of `cargo xtask bench load`: `python_load.py PORT DATABASE DATE FILE`. Prints the CPU seconds and the seconds of
the clock that it took once everything was imported. It checks JSON and the fields' types and no rule of the contract
beyond; a bad line is skipped, unknown fields are lost.
"""

import datetime
import decimal
import sys
import time
import uuid
from typing import Annotated, Optional

import clickhouse_connect
import msgspec

BATCH_LINES = 100_000


UInt16 = Annotated[int, msgspec.Meta(ge=0, lt=2**16)]
UInt32 = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Envelope(msgspec.Struct):
    event_id: uuid.UUID
    event_type: str
    user_id: str
    event_time: datetime.datetime
    session_id: Optional[str] = None
    platform: Optional[str] = None
    app_version: Optional[str] = None
    country: Optional[str] = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class Purchase(msgspec.Struct):
    purchase_id: str
    plan: str
    amount: decimal.Decimal
    currency: str
    period_start: datetime.date
    period_end: datetime.date
    is_trial: Optional[bool] = None


class Refund(msgspec.Struct):
    purchase_id: str
    amount: decimal.Decimal
    currency: str


class TaskResult(msgspec.Struct):
    task_id: str
    is_correct: bool
    course_id: Optional[str] = None
    lesson_id: Optional[str] = None
    score: Optional[float] = None
    attempt: Optional[UInt16] = None
    duration_ms: Optional[UInt32] = None
    hints_used: Optional[UInt16] = None


class Session(msgspec.Struct):
    started_at: datetime.datetime
    ended_at: Optional[datetime.datetime] = None
    device: Optional[str] = None
    os: Optional[str] = None
    referrer: Optional[str] = None


class Assignment(msgspec.Struct):
    experiment_id: str
    variant: str


def purchase(p):
    trial = bool(p.is_trial)
    return "purchase", p.purchase_id, p.plan, p.amount, p.currency, p.period_start, p.period_end, trial


def refund(p):
    return "refund", p.purchase_id, "", p.amount, p.currency, None, None, False


def task_result(p):
    names = p.task_id, p.course_id or "", p.lesson_id or ""
    return *names, p.is_correct, p.score, p.attempt, p.duration_ms, p.hints_used


def session(p):
    return p.started_at, p.ended_at, p.device or "", p.os or "", p.referrer or ""


def assignment(p):
    return p.experiment_id, p.variant


ENVELOPE = (
    "batch_date event_id event_type user_id event_time session_id platform app_version country extra source_file "
    "source_line load_id"
).split()
TASK_RESULTS = "task_id course_id lesson_id is_correct score attempt duration_ms hints_used".split()
COLUMNS = {
    "events": ["properties"],
    "purchases": "kind purchase_id plan amount currency period_start period_end is_trial".split(),
    "task_results": TASK_RESULTS,
    "sessions": "started_at ended_at device os referrer".split(),
    "ab_test_assignments": "experiment_id variant".split(),
}
PAYLOADS = {
    "purchase": ("purchases", msgspec.json.Decoder(Purchase).decode, purchase),
    "refund": ("purchases", msgspec.json.Decoder(Refund).decode, refund),
    "task_result": ("task_results", msgspec.json.Decoder(TaskResult).decode, task_result),
    "session": ("sessions", msgspec.json.Decoder(Session).decode, session),
    "ab_test_assignment": ("ab_test_assignments", msgspec.json.Decoder(Assignment).decode, assignment),
}


def load(port, database, date, file):
    client = clickhouse_connect.get_client(host="127.0.0.1", port=int(port), database=database, compress=False)
    date, load_id = datetime.date.fromisoformat(date), uuid.uuid4()
    decode = msgspec.json.Decoder(Envelope).decode
    rows = {table: [] for table in COLUMNS}

    def flush():
        for table, batch in rows.items():
            if batch:
                names = ENVELOPE + COLUMNS[table]
                columns = [list(column) for column in zip(*batch)]
                client.insert(f"{table}_data", columns, column_names=names, column_oriented=True)
                batch.clear()

    with open(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                event = decode(line)
                kind = PAYLOADS.get(event.event_type)
                if kind is None:
                    table, own = "events", (bytes(event.properties).decode(),)
                else:
                    table, decode_payload, own = kind
                    own = own(decode_payload(event.properties))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            rows[table].append((
                date, event.event_id, event.event_type, event.user_id, event.event_time, event.session_id or "",
                event.platform or "", event.app_version or "", event.country or "", "", file, number, load_id, *own,
            ))
            if number % BATCH_LINES == 0:
                flush()
    flush()


cpu, wall = time.process_time(), time.perf_counter()
load(*sys.argv[1:])
print(time.process_time() - cpu, time.perf_counter() - wall)
