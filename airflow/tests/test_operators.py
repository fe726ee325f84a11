"""Operators: exit codes, summaries, secrets, and what the asset is told."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors
from schoolbell_airflow import connections
from schoolbell_airflow.assets import RAW_EVENTS
from schoolbell_airflow.operators import (
    DbtBuildOperator,
    FindChangesOperator,
    LoadDayOperator,
    SchoolbellOperator,
    TemporaryFailure,
    figures,
)

Script = Callable[[str], str]
SECRET = "s3cret/with+odd=characters&\"quotes'"  # noqa: S105 - that of a test
NOBODY = "http://127.0.0.1:9"
"""The discard port: nobody listens."""

SUMMARY = {
    "status": "committed",
    "batch_date": "2026-03-01",
    "load_id": "018f2c6e-7b1a-7c3d-9e4f-0123456789ab",
    "sources": [],
    "lines": 1204,
    "blank_lines": 0,
    "bytes": 4096,
    "accepted": {"events": 1200, "purchases": 0},
    "rejected": {"missing_field": 4},
    "seconds": 0.25,
}


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warehouse's Connection, as the environment gives it."""
    fields = {"conn_type": "http", "host": "127.0.0.1", "port": 9, "login": "loader", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_SCHOOLBELL_CLICKHOUSE", json.dumps(fields))


def schoolbell_task(**fields: Any) -> SchoolbellOperator:
    return SchoolbellOperator(task_id="task", **fields)


def test_the_summary_is_the_result(script: Script) -> None:
    program = script(f"echo talk >&2; echo '{json.dumps(SUMMARY, indent=1)}'")
    assert schoolbell_task(bin=program).execute({}) == SUMMARY


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (2, AirflowFailException),
        (65, AirflowFailException),
        (66, AirflowFailException),
        (70, AirflowFailException),
        (77, AirflowFailException),
        (75, TemporaryFailure),
        (1, TemporaryFailure),
        (137, TemporaryFailure),
    ],
)
def test_exit_codes(code: int, failure: type[Exception], script: Script) -> None:
    program = script(f"echo 'schoolbell: what happened' >&2; exit {code}")
    with pytest.raises(failure, match=f"exit code {code}.*: schoolbell: what happened"):
        schoolbell_task(bin=program).execute({})
    assert not issubclass(TemporaryFailure, AirflowFailException)


def test_a_signal_is_temporary(script: Script) -> None:
    program = script("kill -KILL $$")
    with pytest.raises(TemporaryFailure, match="signal 9"):
        schoolbell_task(bin=program).execute({})


def test_a_code_may_skip(script: Script) -> None:
    with pytest.raises(AirflowSkipException, match="exit code 66: schoolbell: not there"):
        schoolbell_task(bin=script("echo 'schoolbell: not there' >&2; exit 66"), skip_on_exit_code=[66]).execute({})


def test_a_program_that_is_not_there_is_no_temporary_failure() -> None:
    with pytest.raises(AirflowFailException, match="no program `no-such-program`"):
        schoolbell_task(bin="no-such-program").execute({})


def test_the_real_one_with_nobody_to_talk_to(schoolbell: str) -> None:
    with pytest.raises(TemporaryFailure, match="exit code 75, temporary: schoolbell: "):
        schoolbell_task(bin=schoolbell, arguments=["init"]).execute({})


def test_the_real_one_with_bad_arguments(schoolbell: str) -> None:
    with pytest.raises(AirflowFailException, match="exit code 2, the command line is wrong"):
        schoolbell_task(bin=schoolbell, arguments=["load", "--batch-date", "tomorrow", "x"]).execute({})


def test_the_real_one_finds_bad_data(schoolbell: str, tmp_path: Path) -> None:
    file = tmp_path / "2026-03-01.jsonl"
    file.write_text("no event\n")
    with pytest.raises(AirflowFailException, match="exit code 65, bad data"):
        schoolbell_task(bin=schoolbell, arguments=["validate", str(file)]).execute({})


def test_secrets_go_by_the_environment_alone(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    program = script(
        """
        test "$CLICKHOUSE_URL $CLICKHOUSE_USER" = "http://127.0.0.1:9 loader" || exit 65
        tr '\\0' ' ' < /proc/$$/cmdline >&2
        printf '{"password": "%s"}' "$(printf %s "$CLICKHOUSE_PASSWORD" | sed 's/"/\\\\"/g')"
        """
    )
    task = schoolbell_task(bin=program, arguments=["load", "x"])
    assert task.execute({}) == {"password": SECRET}
    logged = "".join(capsys.readouterr())
    assert logged.count("--output json load x") == 2, "the command line is among what was searched, from both sides"
    assert SECRET not in logged
    shown = {field: getattr(task, field) for field in task.template_fields}
    assert "load" in repr(shown)
    assert SECRET not in repr(shown)


def test_airflows_own_secrets_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "x")
    monkeypatch.setenv("PYTHONPATH", "x")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "the worker's, which the Connection replaces")
    env = connections.environment("schoolbell_clickhouse")
    assert not [name for name in env if name.startswith(("AIRFLOW", "PYTHON"))]
    assert env["AWS_REGION"] == "eu-central-1"
    assert env["CLICKHOUSE_PASSWORD"] == SECRET


def test_without_a_connection_the_workers_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://warehouse:8123")
    assert connections.environment(None)["CLICKHOUSE_URL"] == "http://warehouse:8123"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "http://127.0.0.1:8123"),
        ({"host": "ch", "port": 80}, "http://ch:80"),
        ({"host": "ch", "schema": "https"}, "https://ch:8443"),
        ({"host": "https://ch"}, "https://ch:8443"),
        ({"host": "https://ch:444/"}, "https://ch:444"),
        ({"host": "::1"}, "http://[::1]:8123"),
        ({"host": "ch", "schema": "raw"}, "http://ch:8123"),
    ],
)
def test_urls_of_connections(fields: dict[str, Any], url: str) -> None:
    made = connections.clickhouse(Connection(conn_id="c", conn_type="http", **fields))
    assert made["CLICKHOUSE_URL"] == url


def test_a_connection_without_password_takes_the_workers_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OPEN", '{"conn_type": "http", "host": "ch"}')
    monkeypatch.setenv("CLICKHOUSE_USER", "loader")
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", SECRET)
    made = connections.environment("open")
    assert {name for name in made if name.startswith("CLICKHOUSE_")} == {"CLICKHOUSE_URL"}


def test_s3_is_found_by_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"endpoint_url": "http://127.0.0.1:5000", "region_name": "eu-central-1"}
    fields = {"conn_type": "aws", "login": "KEY", "password": SECRET, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SCHOOLBELL_S3", json.dumps(fields))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the worker's")
    made = connections.environment(None, "schoolbell_s3")
    assert {name: made[name] for name in made if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"} == {
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_ALLOW_HTTP": "true",
    }


def test_the_prefix_is_an_extra_field() -> None:
    made = connections.clickhouse(Connection(conn_id="c", conn_type="http", extra='{"database_prefix": "acme_"}'))
    assert made["SCHOOLBELL_DATABASE_PREFIX"] == "acme_"


def test_a_killed_task_ends_its_program(script: Script) -> None:
    task = schoolbell_task(bin=script('kill -USR1 "$PPID"; exec sleep 1000'))
    # As Airflow's task runner does with SIGTERM: the handler calls `on_kill`, and the task goes on.
    previous = signal.signal(signal.SIGUSR1, lambda *_: task.on_kill())
    try:
        with pytest.raises(TemporaryFailure, match="was stopped because the task was"):
            task.execute({})
    finally:
        signal.signal(signal.SIGUSR1, previous)


def load_task(tmp_path: Path, **fields: Any) -> LoadDayOperator:
    return LoadDayOperator(
        task_id="load_day",
        batch_date="2026-03-01",
        day_url="s3://bucket/events/2026-03-01.jsonl*",
        work_dir=str(tmp_path / "work"),
        outlets=[RAW_EVENTS],
        **fields,
    )


def test_the_asset_is_told_the_date_and_the_figures(script: Script, tmp_path: Path) -> None:
    task = load_task(tmp_path, bin=script(f"echo '{json.dumps(SUMMARY)}'"))
    events = OutletEventAccessors()
    assert task.execute({"outlet_events": events})["status"] == "committed"
    event = events[RAW_EVENTS]
    assert event.partition_keys == {"2026-03-01"}
    assert event.extra["rows"] == 1200
    assert event.extra["rejected"] == 4
    assert event.extra["load_id"] == SUMMARY["load_id"]


def test_a_failed_load_tells_the_asset_nothing(script: Script, tmp_path: Path) -> None:
    task = load_task(tmp_path, bin=script("exit 65"))
    events = OutletEventAccessors()
    with pytest.raises(AirflowFailException):
        task.execute({"outlet_events": events})
    assert len(events) == 0


def test_figures_are_readable() -> None:
    assert figures(SUMMARY) == [
        "2026-03-01 committed: 1,204 lines, 4 rejected, 0.2 s, load 018f2c6e-7b1a-7c3d-9e4f-0123456789ab",
        "  events: 1,200 rows",
        "  rejected as missing_field: 4 lines",
    ]


@pytest.mark.parametrize(
    ("ok", "run_type", "skips"),
    [
        (True, "asset_triggered", True),
        (True, "manual", False),
        (False, "asset_triggered", False),
        (False, "manual", False),
    ],
)
def test_a_day_that_was_taken_along_is_skipped(ok: bool, run_type: str, skips: bool, script: Script) -> None:
    report = {"ok": ok, "checks": [{"name": "marts", "ok": ok, "message": "built at 02:00 from 3 days"}]}
    task = FindChangesOperator(task_id="find", bin=script(f"echo '{json.dumps(report)}'; exit {0 if ok else 65}"))
    context: Any = {"dag_run": SimpleNamespace(run_type=run_type)}
    if skips:
        with pytest.raises(AirflowSkipException, match="nothing to do: the marts were built at 02:00 from 3 days"):
            task.execute(context)
    else:
        assert task.execute(context) == report


@pytest.mark.parametrize(("code", "failure"), [(75, TemporaryFailure), (77, AirflowFailException)])
def test_what_cannot_be_looked_at_is_no_finding(code: int, failure: type[Exception], script: Script) -> None:
    context: Any = {"dag_run": SimpleNamespace(run_type="asset_triggered")}
    with pytest.raises(failure, match=f"exit code {code}"):
        FindChangesOperator(task_id="find", bin=script(f"exit {code}")).execute(context)


def dbt_script(script: Script, results: list[dict[str, str]], code: int) -> str:
    """A dbt that ends with these results."""
    document = json.dumps({"results": results})
    find_target = 'while [ "$1" != --target-path ]; do shift; done'
    return script(f"{find_target}; echo '{document}' > \"$2/run_results.json\"; exit {code}")


@pytest.mark.parametrize(
    ("statuses", "code", "failure"),
    [
        (["success", "pass"], 0, None),
        (["success", "fail", "skipped"], 1, AirflowFailException),
        (["error", "skipped"], 1, TemporaryFailure),
        (["error", "fail"], 1, TemporaryFailure),
    ],
)
def test_ends_of_dbt(
    statuses: list[str], code: int, failure: type[AirflowException] | None, script: Script, tmp_path: Path
) -> None:
    results = [{"status": status, "unique_id": f"model.{status}"} for status in statuses]
    program = dbt_script(script, results, code)
    task = DbtBuildOperator(task_id="build", select=["x"], project_dir="dbt", work_dir=str(tmp_path), bin=program)
    if failure is None:
        assert task.execute({}) == {"statuses": {"success": 1, "pass": 1}, "failed": []}
    else:
        with pytest.raises(failure, match=rf"model\.{statuses[0] if statuses[0] == 'error' else 'fail'}"):
            task.execute({})


def test_results_of_an_older_dbt_run_are_not_believed(script: Script, tmp_path: Path) -> None:
    old = tmp_path / "dbt"
    old.mkdir()
    (old / "run_results.json").write_text('{"results": [{"status": "fail", "unique_id": "test.old"}]}')
    task = DbtBuildOperator(
        task_id="build", select=["x"], project_dir="dbt", work_dir=str(tmp_path), bin=script("exit 2")
    )
    with pytest.raises(TemporaryFailure, match="exit code 2: see the lines above"):
        task.execute({})
