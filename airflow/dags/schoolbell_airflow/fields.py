"""Fields of tasks that are worked out when the task runs: Jinja expressions, and the macros they call.

Variables that they read, all optional:

| Variable | default | |
|---|---|---|
| `schoolbell_day_url` | `s3://schoolbell/events/{date}.jsonl*` | the day's files; `*`, `?` and `[…]` match |
| `schoolbell_ready_url` | the same | what is waited for: a marker, where a day has several files |
| `schoolbell_work_dir` | a folder of the user's in the temporary one | the worker's disk |
| `schoolbell_max_reject_ratio` | `0.01` | the share of rejected lines that fails a day |
| `schoolbell_mapping` | none | how lines of another shape are read: a built-in mapping or a TOML file |
| `schoolbell_bin` | `schoolbell` | the program |
| `schoolbell_dbt_bin` | `dbt` | the program |
| `schoolbell_dbt_project` | `/opt/schoolbell/dbt` | Schoolbell's dbt project, with its profile |

In a URL `{date}` is the batch date; `{date:%Y/%m/%d}` writes it another way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any

DAY_URL_DEFAULT = "s3://schoolbell/events/{date}.jsonl*"


def batch_date(params: Mapping[str, Any], partition_key: str | None, dag_run: Any) -> str:
    """The date whose file is loaded, `YYYY-MM-DD`.

    A run by the schedule or of a backfill has it as its partition key; one by hand may give it as the parameter
    `batch_date`; one by hand without either means yesterday, as the schedule would.
    """
    asked = params.get("batch_date")
    if asked and partition_key and asked != partition_key:
        raise ValueError(f"batch_date {asked} was asked for in a run of the partition {partition_key}")
    text = asked or partition_key
    if text:
        return date.fromisoformat(text).isoformat()
    return (dag_run.run_after.date() - timedelta(days=1)).isoformat()


def day_url(pattern: str, day: str) -> str:
    """A URL with the batch date in it."""
    url = pattern.format(date=date.fromisoformat(day))
    if not url.startswith("s3://"):
        raise ValueError(f"the Variables schoolbell_day_url and schoolbell_ready_url must be s3:// URLs, not {url!r}")
    return url


def work_dir(field: str) -> Path:
    """The folder on the worker's disk that `WORK_DIR` names, made if need be."""
    folder = Path(field) if field else Path(gettempdir()) / f"schoolbell-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not field and folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; set the Variable schoolbell_work_dir")
    return folder.resolve()


MACROS: dict[str, Callable[..., str]] = {"batch_date": batch_date, "day_url": day_url}
"""`user_defined_macros` of both DAGs."""

_DATE = "batch_date(params, partition_key, dag_run)"
_DAY_URL = f"var.value.get('schoolbell_day_url', {DAY_URL_DEFAULT!r})"

BATCH_DATE = f"{{{{ {_DATE} }}}}"
DAY_URL = f"{{{{ day_url({_DAY_URL}, {_DATE}) }}}}"
READY_URL = f"{{{{ day_url(var.value.get('schoolbell_ready_url', {_DAY_URL}), {_DATE}) }}}}"


def variable(name: str, default: str) -> str:
    """The field whose value is that Airflow Variable."""
    return f"{{{{ var.value.get({name!r}, {default!r}) }}}}"


WORK_DIR = variable("schoolbell_work_dir", "")
MAX_REJECT_RATIO = variable("schoolbell_max_reject_ratio", "0.01")
MAPPING = variable("schoolbell_mapping", "")
BIN = variable("schoolbell_bin", "schoolbell")
DBT_BIN = variable("schoolbell_dbt_bin", "dbt")
DBT_PROJECT = variable("schoolbell_dbt_project", "/opt/schoolbell/dbt")
