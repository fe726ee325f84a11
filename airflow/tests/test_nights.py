"""Nights of a real Airflow: four daemons, ClickHouse, an S3 server, the program and dbt.

One story, told in order: each test goes on where the one before it ended.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from daemons import wait_until
from school import Run, School, active_users, shifted

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "Warehouse-0f5a77b2c1d94e36"  # noqa: S105 - those of a test
S3_SECRET = "Store-93c2f0de8b7a4156"  # noqa: S105


class Story:
    """What later tests need of earlier ones."""

    def __init__(self, school: School, schoolbell: str, days: Path) -> None:
        self.school = school
        self.schoolbell = schoolbell
        self.days = days
        self.marts_of: list[str] = []
        """Partitions that the marts were to be computed for, so far."""
        self.scheduled: Run = {}

    @property
    def last_day(self) -> str:
        """The day that the schedule is for."""
        key: str = self.scheduled["partition_key"]
        return key

    def day(self, offset: int) -> str:
        """A day before the last one."""
        return shifted(self.last_day, offset)

    def generate(self, day: str, reject_share: float = 0) -> Path:
        """Makes a day's file."""
        options = ["--force", "--start", day, "--days", "1", "--users", "60", "--seed", day.replace("-", "")]
        folder = self.days / f"{day}-{reject_share}"
        command = [self.schoolbell, "generate", "--out", str(folder), *options, "--reject-share", str(reject_share)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        return folder / f"{day}.jsonl"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, schoolbell: str) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("nights")
    school = School(folder / "airflow", PASSWORD, S3_SECRET)
    try:
        yield Story(school, schoolbell, folder / "days")
    finally:
        code = school.end()
        left = school.processes()
        for process in left:
            process.kill()
    assert code == 0, "Ctrl-C is how it is to end"
    assert left == [], "Ctrl-C leaves nothing running"


def test_the_schedule_waits_for_a_late_file_without_holding_a_worker(story: Story) -> None:
    school = story.school
    for dag in ("load_raw_data", "run_dbt_analytics"):
        school.api.unpause(dag)
    [story.scheduled] = wait_until("the schedule has made a run", lambda: school.runs("load_raw_data"), seconds=60)
    assert story.scheduled["run_type"] == "scheduled"
    assert story.last_day == shifted(story.scheduled["run_after"][:10], -1)

    school.wait_for_task(story.scheduled, "wait_for_day", "deferred")
    pool = school.api.get("/pools/default_pool")
    assert (pool["running_slots"], pool["deferred_slots"]) == (0, 1)
    assert school.task(story.scheduled, "load_day")["state"] is None


def test_a_temporary_error_is_retried(story: Story) -> None:
    school = story.school
    school.gate.state = "closed"
    school.upload(story.generate(story.last_day))
    school.wait_for_task(story.scheduled, "load_day", "up_for_retry")
    assert school.loads() == {}
    school.gate.state = "open"

    assert school.wait_for_run(story.scheduled) == "success"
    assert school.task(story.scheduled, "load_day")["try_number"] == 2
    assert "exit code 75, temporary" in school.log(story.scheduled, "load_day", 1)
    assert school.result(story.scheduled, "load_day")["status"] == "committed"
    assert school.loads() == {story.last_day: 1}


def test_marts_follow_by_the_asset_with_the_same_date(story: Story) -> None:
    school = story.school
    story.marts_of.append(story.last_day)
    [run] = school.marts_runs(story.marts_of)
    assert (run["run_type"], run["state"]) == ("asset_triggered", "success")

    [event] = school.api.get("/assets/events")["asset_events"]
    assert event["partition_key"] == event["extra"]["batch_date"] == story.last_day
    file = story.generate(story.last_day)
    assert event["extra"]["rows"] == len(file.read_text().splitlines())
    expected = active_users([file], until=story.last_day)
    assert expected[story.last_day] > 0
    assert school.daily_active_users() == expected

    # Between them the two steps build each model and seed once, and run each data test once; the hooks run in both.
    steps = [school.result(run, step) for step in ("build_staging", "build_marts")]
    manifest = json.loads((school.folder / "work" / "dbt" / "manifest.json").read_text())
    kinds = Counter(node["resource_type"] for node in manifest["nodes"].values())
    assert sum(step["statuses"]["success"] for step in steps) == (
        kinds["model"] + kinds["seed"] + len(steps) * kinds["operation"]
    )
    assert sum(step["statuses"]["pass"] for step in steps) == kinds["test"] > 0
    assert all(step["failed"] == [] for step in steps)


def test_too_many_rejects_fail_at_once(story: Story) -> None:
    school, day = story.school, story.day(-7)
    school.upload(story.generate(day, reject_share=0.2))
    run = school.trigger(day)
    assert school.wait_for_run(run) == "failed"
    assert school.task(run, "load_day")["try_number"] == 1
    log = school.log(run, "load_day", 1)
    assert "exit code 65, bad data" in log
    assert "ALERT load_raw_data.load_day failed for good" in log
    assert school.loads() == {story.last_day: 1}
    # That no marts follow is seen in the tests after this one: they know every run there is to be.


def test_by_hand_with_a_date_once_the_file_is_mended(story: Story) -> None:
    school, day = story.school, story.day(-7)
    school.upload(story.generate(day))
    run = school.trigger(day)
    assert school.wait_for_run(run) == "success"
    assert run["partition_key"] is None
    story.marts_of.append(day)
    assert all(run["state"] == "success" for run in school.marts_runs(story.marts_of))
    assert school.loads() == {day: 1, story.last_day: 1}


def test_a_killed_task_ends_the_program(story: Story) -> None:
    school, day = story.school, story.day(-8)
    school.upload(story.generate(day))
    school.gate.state = "holding"
    run = school.trigger(day)

    def loading() -> list[psutil.Process]:
        return [process for process in school.processes() if {"load", day} <= set(process.cmdline())]

    [program] = wait_until("the program runs", loading, seconds=60)
    # As the button "mark as failed" does.
    school.api.call("PATCH", f"/dags/load_raw_data/dagRuns/{quote(run['dag_run_id'])}", {"state": "failed"})
    wait_until("the program has ended", lambda: not program.is_running(), seconds=60)
    school.gate.state = "open"
    school.gate.release()
    assert day not in school.loads()


def test_a_backfill_of_two_days(story: Story) -> None:
    school = story.school
    days = [story.day(-2), story.day(-1)]
    files = [story.generate(day) for day in days]
    for file in files:
        school.upload(file)
    school.api.call(
        "POST",
        "/backfills",
        {"dag_id": "load_raw_data", "from_date": f"{days[0]}T00:00:00Z", "to_date": f"{story.last_day}T00:00:00Z"},
    )
    backfill = [run for run in school.runs("load_raw_data") if run["run_type"] == "backfill"]
    assert sorted(run["partition_key"] for run in backfill) == days
    assert {school.wait_for_run(run) for run in backfill} == {"success"}
    story.marts_of += days
    assert all(run["state"] == "success" for run in school.marts_runs(story.marts_of))

    assert school.loads() == dict.fromkeys([story.day(-7), *days, story.last_day], 1)
    everything = [story.generate(day) for day in (story.day(-7), *days, story.last_day)]
    assert school.daily_active_users() == active_users(everything, until=story.last_day)


def test_running_a_day_again_changes_nothing(story: Story) -> None:
    school = story.school
    before = school.everything()
    assert before["raw.events"][0] > 0
    school.clear(story.scheduled)
    assert school.wait_for_run(story.scheduled) == "success"
    assert school.result(story.scheduled, "load_day")["status"] == "already_loaded"
    story.marts_of.append(story.last_day)
    runs = school.marts_runs(story.marts_of)
    assert all(run["state"] == "success" for run in runs)
    # The marts hold the day already: this time nothing is built.
    states = [school.task(run, "build_marts")["state"] for run in runs if run["partition_key"] == story.last_day]
    assert sorted(states) == ["skipped", "success"]
    assert school.everything() == before


def test_the_same_without_airflow(story: Story, tmp_path: Path) -> None:
    school = story.school
    before = school.everything()
    # The script as the documentation has it, in other folders.
    documentation = (REPOSITORY / "docs" / "airflow.md").read_text()
    script = documentation.split("```sh\n#!/bin/sh\n")[1].split("```")[0]
    script = script.replace("/opt/schoolbell/dbt", str(REPOSITORY / "dbt")).replace(
        "/var/tmp/schoolbell", str(tmp_path)
    )
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("schoolbell_bin", "schoolbell_dbt_bin"):
        program = Path(school.api.get(f"/variables/{name}")["value"])
        (programs / program.name).symlink_to(program)
    env = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CLICKHOUSE_URL": school.clickhouse,
        "CLICKHOUSE_USER": "schoolbell",
        "CLICKHOUSE_PASSWORD": PASSWORD,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": school.s3_url,
        "AWS_ALLOW_HTTP": "true",
    }
    command = ["sh", "-c", script, "schoolbell-night", story.last_day]
    night = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert night.returncode == 0, night.stdout + night.stderr
    assert "holds these sources already" in night.stdout, "the object is known by its URL and ETag, whoever loads it"
    assert "Completed successfully" in night.stdout
    assert school.everything() == before


def test_no_secret_is_in_any_file(story: Story) -> None:
    # Logs of tasks and daemons, what dbt wrote, Airflow's database (which has rendered templates, XComs and the
    # audit log), ClickHouse's data.
    def files_with(needle: str) -> list[Path]:
        files = [file for file in story.school.folder.parent.rglob("*") if file.is_file()]
        return [file for file in files if needle.encode() in file.read_bytes()]

    for secret, user in ((PASSWORD, "schoolbell"), (S3_SECRET, "any")):
        for form in (secret, quote(secret), _base64(secret), _base64(f"{user}:{secret}")):
            assert files_with(form) == []

    # A word that tasks do log is found in all these places, and a secret in a log would be.
    found = {file.name for file in files_with(story.last_day)}
    assert {"scheduler.log", "attempt=1.log", "airflow.db"} <= found
    planted = story.school.folder / "logs" / "planted.log"
    planted.write_text(f"connecting as schoolbell:{PASSWORD}\n")
    assert files_with(PASSWORD) == [planted]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_this_process_is_not_among_those_that_are_looked_for(story: Story) -> None:
    assert os.getpid() not in {process.pid for process in story.school.processes()}
    assert len(story.school.processes()) > len(("api-server", "scheduler", "dag-processor", "triggerer"))
