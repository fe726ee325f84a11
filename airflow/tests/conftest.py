"""What the tests share: the program, the DAGs, and a task's context."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

DAGS_FOLDER = Path(__file__).resolve().parents[1] / "dags"


def pytest_configure() -> None:
    """Airflow reads its configuration when it is first imported: nobody's own, and no DAG examples."""
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS_FOLDER)
    for name in list(os.environ):
        if name.startswith("SCHOOLBELL_AIRFLOW_"):
            del os.environ[name]


@pytest.fixture(scope="session")
def schoolbell() -> str:
    """The program under test."""
    return os.environ["SCHOOLBELL_BIN"]


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Makes a program of a shell script, for what the real one does on rare occasions only."""

    def make(text: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make
