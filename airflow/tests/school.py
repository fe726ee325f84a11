"""A local Airflow as `cargo xtask airflow` brings it up, and what a test wants to know of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, build_opener

import boto3
import psutil
from daemons import end_with_parent, free_port, wait_until
from gate import Gate
from rest import Api

BUCKET = "schoolbell"
UP_SECONDS = 300
RUN_SECONDS = 600
"""For all that is waited for at once; a busy machine takes minutes for two days' marts."""
NO_ACTIVITY = ("purchase", "refund", "ab_test_assignment")
FINAL = ("success", "failed")

Run = dict[str, Any]


class School:
    """One local Airflow, its services, and a gate before its ClickHouse."""

    def __init__(self, folder: Path, password: str, s3_secret: str) -> None:
        """Brings it up, DAGs paused, S3 empty, its Connections with these secrets."""
        self.folder = folder
        self.gate = Gate()
        self._output = (folder.parent / "xtask.log").open("w+b")
        arguments = ["--folder", str(folder), "--web-port", str(free_port()), "--days", "0", "--paused"]
        fast = {"SCHOOLBELL_AIRFLOW_POKE_SECONDS": "1", "SCHOOLBELL_AIRFLOW_RETRY_SECONDS": "5"}
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
            [os.environ["SCHOOLBELL_XTASK"], "airflow", *arguments],
            env={**os.environ, **fast, "SCHOOLBELL_LOCAL_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one call, and no other thread of ours takes locks
        )
        try:
            self._connect(password, s3_secret)
        except BaseException:
            self.end()
            raise

    def _connect(self, password: str, s3_secret: str) -> None:
        wait_until("cargo xtask airflow is up", self._is_up, seconds=UP_SECONDS)
        state = json.loads((self.folder / "state.json").read_text())
        self.api = Api(state["web"])
        self.clickhouse = state["clickhouse"]
        self.s3_url = state["s3"]
        self.gate.leads_to = urlsplit(self.clickhouse).port
        where = {"conn_type": "http", "host": "127.0.0.1", "port": self.gate.port, "login": "schoolbell"}
        self.api.put_connection("schoolbell_clickhouse", **where, password=password)
        extra = json.dumps({"endpoint_url": state["s3"], "region_name": "us-east-1"})
        self.api.put_connection("schoolbell_s3", conn_type="aws", login="any", password=s3_secret, extra=extra)
        self.s3 = boto3.client(
            "s3",
            endpoint_url=state["s3"],
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key=s3_secret,
        )

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            raise ChildProcessError(f"cargo xtask airflow ended with {self._process.returncode}:\n{self.said()}")
        return (self.folder / "state.json").exists()

    def said(self) -> str:
        """What `cargo xtask airflow` has printed."""
        return Path(self._output.name).read_text(errors="replace")

    def end(self) -> int:
        """Ctrl-C, and its exit code."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(timeout=60)
        finally:
            self._process.kill()
            self._output.close()
            self.gate.close()

    def processes(self) -> list[psutil.Process]:
        """All that run for it, wherever they have gone: they are in its folder, or name it."""
        found = []
        for process in psutil.process_iter():
            try:
                words = [process.cwd(), *process.cmdline(), *process.environ().values()]
            except psutil.Error:
                continue
            if process.pid != os.getpid() and any(str(self.folder) in word for word in words):
                found.append(process)
        return found

    # Day files.

    def upload(self, file: Path) -> None:
        """Puts a day's file where the DAG looks for it."""
        self.s3.upload_file(str(file), BUCKET, f"events/{file.name}")

    # Runs.

    def trigger(self, day: str) -> Run:
        """Starts a run of the load by hand, for a given date."""
        run: Run = self.api.call(
            "POST", "/dags/load_raw_data/dagRuns", {"logical_date": None, "conf": {"batch_date": day}}
        )
        return run

    def runs(self, dag_id: str) -> list[Run]:
        """Its runs, the first one first."""
        runs: list[Run] = self.api.get(f"/dags/{dag_id}/dagRuns", order_by="id", limit=100)["dag_runs"]
        return runs

    def task(self, run: Run, task_id: str) -> dict[str, Any]:
        """A task's state and tries."""
        task: dict[str, Any] = self.api.get(f"{_path(run)}/taskInstances/{task_id}")
        return task

    def wait_for_task(self, run: Run, task_id: str, *states: str) -> None:
        """Returns when a task is in one of these states."""
        what = f"{task_id} of {run['dag_run_id']} is {' or '.join(states)}"
        wait_until(what, lambda: self.task(run, task_id)["state"] in states, seconds=RUN_SECONDS)

    def wait_for_run(self, run: Run) -> str:
        """Returns how a run has ended."""

        def ended() -> str | None:
            state: str = self.api.get(_path(run))["state"]
            return state if state in FINAL else None

        end: str = wait_until(f"{run['dag_run_id']} has ended", ended, seconds=RUN_SECONDS)
        return end

    def marts_runs(self, keys: Iterable[str]) -> list[Run]:
        """Runs of the marts, when there is one for each of these partitions, in any order, and all have ended."""
        wanted = sorted(keys)

        def runs() -> list[Run]:
            runs = self.runs("run_dbt_analytics")
            ended = all(run["state"] in FINAL for run in runs)
            return runs if ended and len(runs) >= len(wanted) else []

        ended: list[Run] = wait_until(f"{len(wanted)} runs of the marts have ended", runs, seconds=RUN_SECONDS)
        assert sorted(run["partition_key"] for run in ended) == wanted
        return ended

    def clear(self, run: Run) -> None:
        """Has a run done again, as the web page's button does."""
        body = {"dag_run_id": run["dag_run_id"], "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self.api.call("POST", f"/dags/{run['dag_id']}/clearTaskInstances", body)

    def result(self, run: Run, task_id: str) -> Any:
        """What a task has returned."""
        return self.api.get(f"{_path(run)}/taskInstances/{task_id}/xcomEntries/return_value")["value"]

    def log(self, run: Run, task_id: str, attempt: int) -> str:
        """What a task has logged."""
        folder = f"dag_id={run['dag_id']}/run_id={run['dag_run_id']}/task_id={task_id}"
        return (self.folder / "logs" / folder / f"attempt={attempt}.log").read_text()

    # The warehouse.

    def query(self, sql: str) -> list[list[Any]]:
        """Rows of ClickHouse."""
        url = f"{self.clickhouse}/?default_format=JSONCompactEachRow&output_format_json_quote_64bit_integers=0"
        # No proxy on loopback.
        with build_opener(ProxyHandler({})).open(url, data=sql.encode(), timeout=60) as response:
            return [json.loads(line) for line in response.read().splitlines()]

    def loads(self) -> dict[str, int]:
        """How many commits each date has."""
        return dict(self.query("SELECT batch_date, count() FROM raw.loads GROUP BY batch_date"))

    def daily_active_users(self) -> dict[str, int]:
        """Days with activity, and how many users were active, as the mart has it."""
        sql = "SELECT activity_date, dau FROM marts.fct_activity_daily WHERE segment = 'overall' AND dau > 0"
        return dict(self.query(sql))

    def everything(self) -> dict[str, list[Any]]:
        """Number and checksum of the rows of every table and view of `raw`, `staging` and `marts`.

        But for those that say when dbt ran: each run adds to them.
        """
        tables = self.query(
            "SELECT database, name FROM system.tables WHERE database IN ('raw', 'staging', 'marts')"
            " AND name NOT IN ('schoolbell_runs', 'schoolbell_marts') ORDER BY ALL"
        )
        count = "SELECT count(), sum(cityHash64(*)) FROM"
        return {f"{database}.{name}": self.query(f"{count} `{database}`.`{name}`")[0] for database, name in tables}


def active_users(files: Iterable[Path], until: str) -> dict[str, int]:
    """Days up to `until` and how many users were active, counted from the day files themselves."""
    users: dict[str, set[str]] = {}
    for file in files:
        for line in file.read_text().splitlines():
            event = json.loads(line)
            if event["event_type"] not in NO_ACTIVITY:
                time = datetime.fromisoformat(event["event_time"].upper()).astimezone(UTC)
                users.setdefault(time.date().isoformat(), set()).add(event["user_id"])
    return {day: len(those) for day, those in users.items() if day <= until}


def shifted(day: str, days: int) -> str:
    """The date some days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _path(run: Run) -> str:
    return f"/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'])}"
