"""The DAGs' structure and schedule, and that importing them touches nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
from airflow.timetables.base import DagRunInfo, TimeRestriction
from conftest import DAGS_FOLDER
from schoolbell_airflow import alerts, fields
from schoolbell_airflow.alerts import on_failure
from schoolbell_airflow.assets import RAW_EVENTS
from schoolbell_airflow.operators import DbtBuildOperator, FindChangesOperator, LoadDayOperator
from schoolbell_airflow.settings import Settings


@pytest.fixture(scope="session")
def dags() -> dict[str, DAG]:
    bag = DagBag(dag_folder=str(DAGS_FOLDER), bundle_path=DAGS_FOLDER)
    assert bag.import_errors == {}
    return bag.dags


def test_there_are_two(dags: dict[str, DAG]) -> None:
    assert set(dags) == {"load_raw_data", "run_dbt_analytics"}


def test_loading(dags: dict[str, DAG]) -> None:
    dag = dags["load_raw_data"]
    wait, load = dag.get_task("wait_for_day"), dag.get_task("load_day")
    assert isinstance(wait, S3KeySensor)
    assert wait.deferrable
    assert wait.wildcard_match
    assert wait.downstream_task_ids == {"load_day"}
    assert isinstance(load, LoadDayOperator)
    assert load.outlets == [RAW_EVENTS]
    assert not dag.catchup
    assert dag.max_active_runs == 4


def test_computing(dags: dict[str, DAG]) -> None:
    dag = dags["run_dbt_analytics"]
    find, staging, marts = (dag.get_task(name) for name in ("find_changes", "build_staging", "build_marts"))
    assert isinstance(find, FindChangesOperator)
    assert find.downstream_task_ids == {"build_staging"}
    assert isinstance(staging, DbtBuildOperator)
    assert isinstance(marts, DbtBuildOperator)
    assert staging.downstream_task_ids == {"build_marts"}
    assert dag.max_active_runs == 1, "two builds at once would write the same tables"


def test_every_task_is_bounded_and_owned(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert dag.doc_md
        assert "schoolbell" in dag.tags
        for task in dag.tasks:
            assert task.execution_timeout is not None, task.task_id
            assert task.execution_timeout <= timedelta(hours=6)
            assert task.retries == 5
            assert task.retry_exponential_backoff == 2
            assert task.max_retry_delay == timedelta(minutes=30)
            assert task.owner == "data"
            assert on_failure in task.on_failure_callback


def scheduled(dag: DAG, last: DagRunInfo | None = None) -> DagRunInfo:
    timetable = _as_the_scheduler_has_it(dag).timetable
    everything = TimeRestriction(earliest=dag.start_date, latest=None, catchup=False)
    info = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=everything)
    assert info is not None
    return info


def _as_the_scheduler_has_it(dag: DAG) -> Any:
    return DagSerialization.from_dict(LazyDeserializedDAG.from_dag(dag).data)


def test_the_schedule_is_nightly_for_the_day_before(dags: dict[str, DAG]) -> None:
    dag = dags["load_raw_data"]
    first = scheduled(dag)
    assert first.run_after.strftime("%H:%M") == "02:00"
    assert first.run_after <= datetime.now(UTC)
    for _ in range(3):
        day = (first.run_after - timedelta(days=1)).strftime("%Y-%m-%d")
        assert first.partition_key == day
        following = scheduled(dag, first)
        assert following.run_after - first.run_after == timedelta(days=1)
        first = following


def test_a_backfill_has_a_run_for_each_day(dags: dict[str, DAG]) -> None:
    dag = _as_the_scheduler_has_it(dags["load_raw_data"])
    march = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 6)]
    keys = [info.partition_key for info in dag.iter_dagrun_infos_between(*march)]
    assert keys == [f"2026-03-0{day}" for day in range(1, 6)], "the last date is exclusive"


def test_marts_follow_the_loaded_partition(dags: dict[str, DAG]) -> None:
    dag = _as_the_scheduler_has_it(dags["run_dbt_analytics"])
    assert dag.timetable.partitioned
    assert [key.name for key, _ in dag.timetable.asset_condition.iter_assets()] == ["raw_events"]
    mapper = dag.timetable.get_partition_mapper(name="raw_events")
    assert mapper.to_downstream("2026-03-01") == "2026-03-01"


def run(day: int) -> Any:
    return SimpleNamespace(run_after=datetime(2026, 3, day, 13, tzinfo=UTC))


def test_batch_dates() -> None:
    assert fields.batch_date({"batch_date": None}, "2026-03-01", run(9)) == "2026-03-01"
    assert fields.batch_date({"batch_date": "2026-02-28"}, None, run(9)) == "2026-02-28"
    assert fields.batch_date({"batch_date": "2026-02-28"}, "2026-02-28", run(9)) == "2026-02-28"
    assert fields.batch_date({}, None, run(1)) == "2026-02-28"
    with pytest.raises(ValueError, match="2026-02-28 was asked for in a run of the partition 2026-03-01"):
        fields.batch_date({"batch_date": "2026-02-28"}, "2026-03-01", run(9))
    with pytest.raises(ValueError, match="isoformat"):
        fields.batch_date({"batch_date": "today"}, None, run(9))


def test_day_urls() -> None:
    assert fields.day_url(fields.DAY_URL_DEFAULT, "2026-03-01") == "s3://schoolbell/events/2026-03-01.jsonl*"
    nested = "s3://b/{date:%Y/%m/%d}/part-*.jsonl.zst"
    assert fields.day_url(nested, "2026-03-01") == "s3://b/2026/03/01/part-*.jsonl.zst"
    with pytest.raises(ValueError, match="must be s3:// URLs"):
        fields.day_url("/data/{date}.jsonl", "2026-03-01")


class Variables(dict[str, str]):
    """`var.value` of a template."""


def rendered(dag: DAG, task_id: str, **variables: str) -> Any:
    task = dag.get_task(task_id).prepare_for_execution()
    context: Any = {
        "params": {"batch_date": None},
        "partition_key": "2026-03-01",
        "dag_run": run(2),
        "var": SimpleNamespace(value=Variables(variables)),
    }
    task.render_template_fields(context, dag.get_template_env())
    return task


def test_fields_have_working_defaults(dags: dict[str, DAG]) -> None:
    wait = rendered(dags["load_raw_data"], "wait_for_day")
    load = rendered(dags["load_raw_data"], "load_day")
    assert wait.bucket_key == load.day_url == "s3://schoolbell/events/2026-03-01.jsonl*"
    assert (load.batch_date, load.bin, load.max_reject_ratio) == ("2026-03-01", "schoolbell", "0.01")
    assert load.mapping == ""
    marts = rendered(dags["run_dbt_analytics"], "build_marts")
    assert (marts.bin, marts.project_dir) == ("dbt", "/opt/schoolbell/dbt")


def test_variables_replace_them(dags: dict[str, DAG]) -> None:
    variables = {"schoolbell_day_url": "s3://b/{date}/*", "schoolbell_ready_url": "s3://b/{date}/_SUCCESS"}
    wait = rendered(dags["load_raw_data"], "wait_for_day", **variables)
    load = rendered(
        dags["load_raw_data"],
        "load_day",
        **variables,
        schoolbell_bin="/opt/bin/schoolbell",
        schoolbell_mapping="segment",
    )
    assert load.mapping == "segment"
    assert wait.bucket_key == "s3://b/2026-03-01/_SUCCESS"
    assert load.day_url == "s3://b/2026-03-01/*"
    assert load.bin == "/opt/bin/schoolbell"


def test_settings_are_read_from_the_environment() -> None:
    assert Settings.from_environment({}) == Settings()
    read = Settings.from_environment(
        {"SCHOOLBELL_AIRFLOW_POOL": "warehouse", "SCHOOLBELL_AIRFLOW_RETRIES": "2", "SCHOOLBELL_AIRFLOW_OWNER": " "}
    )
    assert (read.pool, read.retries, read.owner) == ("warehouse", 2, "data")
    with pytest.raises(ValueError, match="SCHOOLBELL_AIRFLOW_RETRIES is 'many'"):
        Settings.from_environment({"SCHOOLBELL_AIRFLOW_RETRIES": "many"})


called: list[Any] = []


def page(context: Any) -> None:
    """A site's own function."""
    called.append(context)


def test_the_sites_own_function_is_called(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    instance = SimpleNamespace(dag_id="load_raw_data", task_id="load_day", run_id="r", try_number=6)
    context = {"task_instance": instance, "exception": ValueError("bad data")}
    on_failure(context)
    assert "ALERT load_raw_data.load_day failed for good (run r, try 6): bad data" in caplog.text
    assert called == []
    monkeypatch.setenv(alerts.HOOK_VARIABLE, f"{__name__}:page")
    on_failure(context)
    assert called == [context]


TOUCHES_NOTHING = """
import sys
# What Airflow's processes have long imported.
import airflow.providers.amazon.aws.sensors.s3, airflow.sdk, airflow.timetables.trigger

touched = []

def see(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event.startswith(("socket.", "subprocess.", "sqlite3.", "os.system", "os.exec", "os.posix_spawn")):
        touched.append((event, arguments))

sys.addaudithook(see)
sys.path.insert(0, sys.argv[1])
import load_raw_data, run_dbt_analytics
assert not touched, touched

# What would be noticed is noticed.
import socket
socket.socket()
assert touched
"""


def test_importing_them_touches_nothing() -> None:
    command = [sys.executable, "-c", TOUCHES_NOTHING, str(DAGS_FOLDER)]
    subprocess.run(command, check=True)  # noqa: S603
