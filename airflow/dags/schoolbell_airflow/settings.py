"""The shape of the DAGs: what Airflow has to know before any task runs.

These are environment variables of the Airflow components, and not Airflow Variables, because reading a Variable asks
the metadata database, and DAG files are imported every half minute. What a task needs when it runs is in Variables
and Connections (see `fields` and `connections`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from schoolbell_airflow.alerts import on_failure

PREFIX = "SCHOOLBELL_AIRFLOW_"


@dataclass(frozen=True)
class Settings:
    """The settings of one import. Each is read from `SCHOOLBELL_AIRFLOW_` and the name in capitals."""

    schedule: str = "0 2 * * *"
    """When the day before is loaded, as a cron expression in UTC. One tick a day."""
    owner: str = "data"
    """Whom the tasks belong to."""
    pool: str = "default_pool"
    """The pool whose slots loads and dbt builds take; it has to exist."""
    max_active_loads: int = 4
    """How many days may be waited for or loaded at once. A day whose file is late holds one of them."""
    poke_seconds: float = 60
    """Between two looks for a day's file."""
    wait_seconds: float = 20 * 3600
    """How late a day's file may come before the run fails."""
    retries: int = 5
    """How often a temporary failure is tried again."""
    retry_seconds: float = 60
    """Before the first retry; twice as long before each further one, up to half an hour."""
    load_timeout_seconds: float = 6 * 3600
    """A load that takes longer is stopped, and counts as a temporary failure."""
    dbt_timeout_seconds: float = 6 * 3600
    """A dbt step that takes longer is stopped, and counts as a temporary failure."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the variables; one that cannot be read fails the import, with its name."""
        values: dict[str, Any] = {}
        for name, default in cls.__dataclass_fields__.items():
            variable = PREFIX + name.upper()
            if text := environment.get(variable, "").strip():
                kind = type(default.default)
                try:
                    values[name] = kind(text)
                except ValueError as error:
                    raise ValueError(
                        f"{variable} is {text!r}; it must be of the kind of {default.default}"
                    ) from error
        return cls(**values)

    def task_defaults(self) -> dict[str, Any]:
        """`default_args` of both DAGs."""
        return {
            "owner": self.owner,
            "retries": self.retries,
            "retry_delay": timedelta(seconds=self.retry_seconds),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=30),
            "on_failure_callback": on_failure,
        }
