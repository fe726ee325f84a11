"""`schoolbell load` and `dbt build` as Airflow tasks."""

from __future__ import annotations

import json
import shutil
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from schoolbell_airflow.connections import CLICKHOUSE_CONN_ID, S3_CONN_ID, environment
from schoolbell_airflow.fields import work_dir
from schoolbell_airflow.program import Finished, Program

if TYPE_CHECKING:
    from airflow.sdk import Context

PERMANENT: Mapping[int, str] = {
    2: "the command line is wrong",
    65: "bad data",
    66: "a source is not there",
    70: "a defect of schoolbell, please report it",
    77: "access denied",
}
"""Exit codes of `schoolbell` after which trying again is of no use (those of sysexits.h)."""

TEMPORARY = 75
"""Its exit code where trying again is right. So it is where a signal ended it (no memory left, a node that goes)."""


class TemporaryFailure(AirflowException):
    """Fails this try of a task; the next one may succeed."""


class ProgramOperator(BaseOperator):
    """Runs one program and ends it when the task is killed."""

    template_fields: Sequence[str] = ("bin",)

    def __init__(
        self,
        *,
        bin: str,  # noqa: A002
        clickhouse_conn_id: str | None = CLICKHOUSE_CONN_ID,
        aws_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        """`bin` is a name looked up in the worker's PATH, or a path."""
        super().__init__(**kwargs)
        self.bin = bin
        self.clickhouse_conn_id = clickhouse_conn_id
        self.aws_conn_id = aws_conn_id
        self._program: Program | None = None

    def _run(
        self, arguments: Sequence[str], *, cwd: Path, show_stdout: bool
    ) -> tuple[Finished, list[str], list[str]]:
        """Runs it; answers how it ended, its stdout, and the last lines of its stderr."""
        stdout: list[str] = []
        stderr: deque[str] = deque(maxlen=20)

        def see_stdout(line: str) -> None:
            stdout.append(line)
            if show_stdout:
                self.log.info("%s", line)

        def see_stderr(line: str) -> None:
            stderr.append(line)
            self.log.info("%s", line)

        env = environment(self.clickhouse_conn_id, self.aws_conn_id)
        # Looked up in the PATH that the program will have.
        program = shutil.which(self.bin, path=env.get("PATH"))
        if program is None:
            raise AirflowFailException(
                f"this worker has no program `{self.bin}`: install it, or name it in the Variable"
            )
        argv = [program, *arguments]
        self.log.info("Running: %s", " ".join(argv))
        self._program = Program(argv, env=env, cwd=cwd, on_stdout=see_stdout, on_stderr=see_stderr)
        finished = self._program.run()
        if finished.told_to_end:
            raise TemporaryFailure(
                f"`{self.bin}` was stopped because the task was; a half-done load is never visible"
            )
        return finished, stdout, list(stderr)

    def on_kill(self) -> None:
        """Called by Airflow when the task is stopped, in a signal handler."""
        if self._program is not None:
            self._program.stop()


class SchoolbellOperator(ProgramOperator):
    """Runs a command of `schoolbell` and answers its JSON document, which becomes the XCom.

    Exit codes decide how the task goes on: `PERMANENT` fails it at once, `TEMPORARY`, signals and codes unknown here
    fail this try of it, those in `skip_on_exit_code` skip it.
    """

    template_fields: Sequence[str] = (*ProgramOperator.template_fields, "arguments")

    def __init__(
        self,
        *,
        arguments: Sequence[str] = (),
        bin: str = "schoolbell",  # noqa: A002
        skip_on_exit_code: Collection[int] = (),
        **kwargs: Any,
    ) -> None:
        """`arguments` are those after `schoolbell --output json`. They are logged and shown: no secrets."""
        super().__init__(bin=bin, **kwargs)
        self.arguments = list(arguments)
        self.skip_on_exit_code = frozenset(skip_on_exit_code)

    def execute(self, context: Context) -> Any:  # noqa: ARG002
        """Runs it in the worker's temporary folder."""
        with TemporaryDirectory(dir=work_dir("")) as folder:
            return self._schoolbell(self.arguments, cwd=Path(folder))

    def _schoolbell(self, arguments: Sequence[str], *, cwd: Path) -> Any:
        finished, stdout, stderr = self._run(["--output", "json", *arguments], cwd=cwd, show_stdout=False)
        if finished.code == 0:
            return json.loads("\n".join(stdout))
        raise self._failure(finished, stderr)

    def _failure(self, finished: Finished, stderr: Sequence[str]) -> AirflowException:
        """What an exit code means for the task."""
        said = " | ".join(line for line in stderr if line.startswith("schoolbell: ")) or " | ".join(stderr[-3:])
        if finished.code in self.skip_on_exit_code:
            return AirflowSkipException(f"exit code {finished.code}: {said}")
        if meaning := PERMANENT.get(finished.code):
            return AirflowFailException(f"exit code {finished.code}, {meaning}: {said}")
        if finished.code < 0:
            return TemporaryFailure(f"ended by signal {-finished.code}: {said}")
        return TemporaryFailure(f"exit code {finished.code}, temporary: {said}")


class LoadDayOperator(SchoolbellOperator):
    """Brings a day's files to the worker's disk, loads them, and publishes the task's outlets for that day.

    One task, so that it may run on any worker. The asset's partition is the batch date, its extra the load's figures.
    """

    template_fields: Sequence[str] = (
        *SchoolbellOperator.template_fields,
        "batch_date",
        "day_url",
        "work_dir",
        "max_reject_ratio",
        "mapping",
    )

    def __init__(  # noqa: PLR0913 - the arguments of an operator are keywords
        self,
        *,
        batch_date: str,
        day_url: str,
        work_dir: str = "",
        max_reject_ratio: str = "0.01",
        mapping: str = "",
        aws_conn_id: str | None = S3_CONN_ID,
        **kwargs: Any,
    ) -> None:
        """`day_url` names all files of the day: an object, a prefix or a glob.

        `mapping` is a built-in mapping or a TOML file on the worker; empty where lines are those of the contract.
        """
        super().__init__(aws_conn_id=aws_conn_id, **kwargs)
        self.batch_date = batch_date
        self.day_url = day_url
        self.work_dir = work_dir
        self.max_reject_ratio = max_reject_ratio
        self.mapping = mapping

    def execute(self, context: Context) -> dict[str, Any]:
        """Loads the day. Again is the same: a day that is there already with these files is left as it is."""
        folder = work_dir(self.work_dir)
        # A download that breaks off goes on there, in the next try on this worker.
        options = ["--spool", str(folder / "spool"), "--max-reject-ratio", self.max_reject_ratio]
        if self.mapping:
            options += ["--mapping", self.mapping]
        summary = self._schoolbell(["load", "--batch-date", self.batch_date, *options, self.day_url], cwd=folder)
        for line in figures(summary):
            self.log.info("%s", line)
        self._publish(context, summary)
        return summary

    def _publish(self, context: Context, summary: Mapping[str, Any]) -> None:
        for outlet in self.outlets:
            event = context["outlet_events"][outlet]
            event.add_partitions(self.batch_date)
            event.extra = {
                "batch_date": self.batch_date,
                "status": summary["status"],
                "load_id": summary["load_id"],
                "lines": summary["lines"],
                "rows": sum(summary["accepted"].values()),
                "accepted": summary["accepted"],
                "rejected": sum(summary["rejected"].values()),
            }


class FindChangesOperator(SchoolbellOperator):
    """Skips what follows where the marts were built from all that is loaded now: an earlier run took this day along.

    A run that somebody has triggered by hand always goes on: a model or an option may have changed.
    """

    FINDINGS = (0, 65)
    """The exit codes with which `schoolbell doctor` says what it has found."""

    def execute(self, context: Context) -> Any:
        """Answers what was found, where there is something to build."""
        with TemporaryDirectory(dir=work_dir("")) as folder:
            arguments = ["--output", "json", "doctor", "--only", "marts"]
            finished, stdout, stderr = self._run(arguments, cwd=Path(folder), show_stdout=False)
        if finished.code not in self.FINDINGS or not stdout:
            raise self._failure(finished, stderr)
        report = json.loads("\n".join(stdout))
        [check] = report["checks"]
        self.log.info("%s", check["message"])
        if report["ok"] and context["dag_run"].run_type != "manual":
            raise AirflowSkipException(f"nothing to do: the marts were {check['message']}")
        return report


def figures(summary: Mapping[str, Any]) -> list[str]:
    """A load's summary for people, a fact a line."""
    done = "holds these files already" if summary["status"] == "already_loaded" else summary["status"]
    rejected = sum(summary["rejected"].values())
    return [
        f"{summary['batch_date']} {done}: {summary['lines']:,} lines, {rejected:,} rejected, "
        f"{summary['seconds']:.1f} s, load {summary['load_id']}",
        *(f"  {table}: {rows:,} rows" for table, rows in summary["accepted"].items() if rows),
        *(f"  rejected as {reason}: {lines:,} lines" for reason, lines in summary["rejected"].items() if lines),
    ]


class DbtBuildOperator(ProgramOperator):
    """Runs `dbt build` on a part of Schoolbell's project; how many nodes ended how becomes the XCom.

    A failed test fails the task at once: the data will not mend itself. Any other error, such as a warehouse out of
    reach, fails this try of it.
    """

    template_fields: Sequence[str] = (*ProgramOperator.template_fields, "project_dir", "work_dir", "select")

    def __init__(
        self,
        *,
        select: Sequence[str],
        project_dir: str,
        indirect_selection: str = "eager",
        work_dir: str = "",
        bin: str = "dbt",  # noqa: A002
        **kwargs: Any,
    ) -> None:
        """`select` and `indirect_selection` are dbt's own."""
        super().__init__(bin=bin, **kwargs)
        self.select = list(select)
        self.indirect_selection = indirect_selection
        self.project_dir = project_dir
        self.work_dir = work_dir

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Builds it. Again is the same: models and tests follow from what is loaded."""
        # One for all steps: what the first has parsed is parsed.
        target = work_dir(self.work_dir) / "dbt"
        target.mkdir(parents=True, exist_ok=True)
        results = target / "run_results.json"
        # An older run's results are not to be taken for this one's.
        results.unlink(missing_ok=True)
        arguments = ["--no-use-colors", "--no-send-anonymous-usage-stats", "build"]
        arguments += ["--project-dir", self.project_dir, "--profiles-dir", self.project_dir]
        arguments += ["--target-path", str(target), "--log-path", str(target / "logs")]
        arguments += ["--indirect-selection", self.indirect_selection, "--select", *self.select]
        finished, _, _ = self._run(arguments, cwd=target, show_stdout=True)
        summary = _nodes(results)
        if finished.code == 0:
            return summary
        failed = "; ".join(summary["failed"]) or "see the lines above"
        if summary["statuses"].get("fail") and not summary["statuses"].get("error"):
            raise AirflowFailException(f"dbt tests failed: {failed}")
        raise TemporaryFailure(f"dbt failed with exit code {finished.code}: {failed}")


def _nodes(results: Path) -> dict[str, Any]:
    """What dbt's `run_results.json` says: nodes by status, and which failed."""
    if not results.exists():
        return {"statuses": {}, "failed": []}
    nodes = json.loads(results.read_text())["results"]
    return {
        "statuses": dict(Counter(node["status"] for node in nodes)),
        "failed": [node["unique_id"] for node in nodes if node["status"] in ("error", "fail", "runtime error")],
    }
