"""A child process ends with its task and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from threading import Thread

import psutil
import pytest
from schoolbell_airflow import program
from schoolbell_airflow.program import Program

ENV = {"PATH": os.environ["PATH"]}
Script = Callable[[str], str]


def prepared(argv: list[str]) -> tuple[Program, list[str], list[str]]:
    out: list[str] = []
    err: list[str] = []
    return Program(argv, env=ENV, on_stdout=out.append, on_stderr=err.append), out, err


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "not within 30 s"
        time.sleep(0.01)


def test_both_streams_are_read_whole_however_long(script: Script) -> None:
    # More than the pipes hold, the one after the other: whoever reads them in turn hangs.
    running, out, err = prepared([script("seq 1 50000 >&2; seq 1 50000; exit 3")])
    finished = running.run()
    assert (finished.code, finished.told_to_end) == (3, False)
    assert out == err == [str(number) for number in range(1, 50001)]


def test_bytes_that_are_no_text_are_shown_all_the_same(script: Script) -> None:
    running, out, _ = prepared([script(r"printf 'a\377b\r\nc'")])
    running.run()
    assert out == ["a\ufffdb", "c"]


def test_it_ends_when_told_to(script: Script) -> None:
    running, out, _ = prepared([script('echo "$$"; exec sleep 1000')])

    def stop() -> None:
        until(lambda: bool(out))
        running.stop()
        running.stop()

    Thread(target=stop).start()
    finished = running.run()
    assert (finished.code, finished.told_to_end) == (-signal.SIGTERM, True)
    assert not psutil.pid_exists(int(out[0]))


def test_one_that_does_not_listen_is_killed(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "KILL_AFTER_SECONDS", 0.2)
    running, out, _ = prepared([script('trap "" TERM; echo "$$"; while :; do :; done')])

    def stop() -> None:
        until(lambda: bool(out))
        running.stop()

    Thread(target=stop).start()
    assert running.run().code == -signal.SIGKILL
    assert not psutil.pid_exists(int(out[0]))


def test_told_to_end_before_it_has_begun(script: Script) -> None:
    running, _, _ = prepared([script("exec sleep 1000")])
    running.stop()
    finished = running.run()
    assert (finished.code, finished.told_to_end) == (-signal.SIGTERM, True)


class TimeOut(BaseException):
    """As Airflow's own: not an `Exception`, and raised wherever the task is."""


def test_it_ends_when_the_task_runs_out_of_time(script: Script) -> None:
    running, out, _ = prepared([script('echo "$$"; exec sleep 1000')])

    def time_out(*_: object) -> None:
        raise TimeOut

    previous = signal.signal(signal.SIGALRM, time_out)

    def alarm() -> None:
        until(lambda: bool(out))
        os.kill(os.getpid(), signal.SIGALRM)

    try:
        Thread(target=alarm).start()
        with pytest.raises(TimeOut):
            running.run()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert not psutil.pid_exists(int(out[0]))


def test_nothing_of_the_environment_comes_in_but_what_is_given(script: Script) -> None:
    running, out, _ = prepared([script("env")])
    running.run()
    assert {line.split("=")[0] for line in out} <= {"PATH", "PWD", "SHLVL", "_", "OLDPWD"}
