"""What else one could do with the same bytes in Python: a part of `cargo xtask bench parser`.

Says its contestants, one a line, then an empty line; then answers each request `CONTESTANT FILE`, a line each, with
`CPU-SECONDS WALL-SECONDS LINES BYTES`: only the first bytes of a file are read, for Python takes its time.

As the Rust rivals do, each route reads a typed envelope and, by its event type, a typed payload; it checks JSON and
the fields' types and no rule of the contract beyond, and keeps nothing.
"""

import datetime
import json
import sys
import time
from typing import Any, Optional

import msgspec
import orjson
import pydantic

# What may be absent.
OPTIONAL = [Optional[kind] for kind in (str, bool, int, float, datetime.datetime)]
FIELDS = {
    "purchase": {
        "purchase_id": str, "plan": str, "amount": str, "currency": str, "period_start": datetime.date,
        "period_end": datetime.date, "is_trial": Optional[bool],
    },
    "refund": {"purchase_id": str, "amount": str, "currency": str},
    "task_result": {
        "task_id": str, "is_correct": bool, "course_id": Optional[str], "lesson_id": Optional[str],
        "score": Optional[float], "attempt": Optional[int], "duration_ms": Optional[int], "hints_used": Optional[int],
    },
    "session": {
        "started_at": datetime.datetime, "ended_at": Optional[datetime.datetime], "device": Optional[str],
        "os": Optional[str], "referrer": Optional[str],
    },
    "ab_test_assignment": {"experiment_id": str, "variant": str},
}


def envelope(properties_type):
    """The generated lines always have properties; without them a typed payload would miss its fields anyway."""
    return {
        "event_id": str, "event_type": str, "user_id": str, "event_time": datetime.datetime,
        "session_id": Optional[str], "platform": Optional[str], "app_version": Optional[str],
        "country": Optional[str], "properties": properties_type,
    }


def structs(properties_type):
    """The envelope and the payloads as msgspec's structs."""

    def struct(name, fields):
        required = [(field, kind) for field, kind in fields.items() if kind not in OPTIONAL]
        optional = [(field, kind, None) for field, kind in fields.items() if kind in OPTIONAL]
        return msgspec.defstruct(name, required + optional)

    payloads = {name: struct(name, fields) for name, fields in FIELDS.items()}
    return struct("Envelope", envelope(properties_type)), payloads


def msgspec_route():
    outer, payloads = structs(msgspec.Raw)
    decode = msgspec.json.Decoder(outer).decode
    decoders = {name: msgspec.json.Decoder(payload).decode for name, payload in payloads.items()}

    def read(line):
        event = decode(line)
        payload = decoders.get(event.event_type)
        if payload is not None:
            payload(event.properties)

    return read, (msgspec.MsgspecError, UnicodeDecodeError)


def orjson_msgspec_route():
    outer, payloads = structs(dict)
    loads, convert = orjson.loads, msgspec.convert

    def read(line):
        event = convert(loads(line), outer)
        payload = payloads.get(event.event_type)
        if payload is not None:
            convert(event.properties, payload)

    return read, (orjson.JSONDecodeError, msgspec.MsgspecError)


def pydantic_route():
    def model(name, fields):
        return pydantic.create_model(
            name, **{field: (kind, None if kind in OPTIONAL else ...) for field, kind in fields.items()}
        )

    outer = model("Envelope", envelope(dict[str, Any]))
    payloads = {name: model(name, fields) for name, fields in FIELDS.items()}

    def read(line):
        event = outer.model_validate(json.loads(line))
        payload = payloads.get(event.event_type)
        if payload is not None:
            payload.model_validate(event.properties)

    return read, ValueError


# A route, and how much of a file it is given.
ROUTES = {
    "msgspec": (msgspec_route(), 16_000_000),
    "orjson + msgspec": (orjson_msgspec_route(), 16_000_000),
    "json + pydantic": (pydantic_route(), 4_000_000),
}


def measure(route, sample):
    read, errors = route
    lines = 0
    cpu, wall = time.process_time(), time.perf_counter()
    for line in sample:
        try:
            read(line)
            lines += 1
        except errors:
            pass
    return time.process_time() - cpu, time.perf_counter() - wall, lines


def main(folder):
    for name in ROUTES:
        print(name)
    print(flush=True)
    samples = {}
    for request in sys.stdin:
        name, file = request.rstrip("\n").rsplit(" ", 1)
        route, size = ROUTES[name]
        if (file, size) not in samples:
            with open(f"{folder}/{file}", "rb") as source:
                text = source.read(size)
            samples[file, size] = text[: text.rindex(b"\n") + 1].split(b"\n")[:-1]
        sample = samples[file, size]
        print(*measure(route, sample), sum(map(len, sample)) + len(sample), flush=True)


main(sys.argv[1])
