"""A child process that logs line by line, ends with its task, and leaves nothing behind."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from typing import IO

KILL_AFTER_SECONDS = 4.0
"""From SIGTERM to SIGKILL. Airflow itself kills a task that does not end in 5 s after it was told to."""


@dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    code: int
    """Its exit code; a signal's number, negated, if one ended it."""
    told_to_end: bool
    """Whether this task ended it."""


class Program:
    """A program that is run once."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        on_stdout: Callable[[str], None],
        on_stderr: Callable[[str], None],
    ) -> None:
        self._argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._on_stdout = on_stdout
        self._on_stderr = on_stderr
        self._process: subprocess.Popen[bytes] | None = None
        self._killer: Timer | None = None
        self._to_end = False

    def run(self) -> Finished:
        """Runs it to its end, each of its lines shown as it comes.

        Whatever ends this call, an Airflow time-out included, ends the program.

        :raises OSError: if it cannot be run.
        """
        # It stays in the task's process group: signals to the whole group, SIGKILL among them, end it with the task.
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
            self._argv,
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        errors = Thread(target=_lines, args=(self._process.stderr, self._on_stderr), daemon=True)
        try:
            errors.start()
            if self._to_end:
                self._end()
            _lines(self._process.stdout, self._on_stdout)
            errors.join()
            code = self._process.wait()
        finally:
            if self._process.poll() is None:
                self.stop()
                self._process.wait()
            if self._killer is not None:
                self._killer.cancel()
        return Finished(code=code, told_to_end=self._to_end)

    def stop(self) -> None:
        """Tells it to end, and kills it where it does not listen. Returns at once; safe in a signal handler."""
        self._to_end = True
        if self._process is not None and self._killer is None:
            self._end()

    def _end(self) -> None:
        assert self._process is not None  # noqa: S101 - both callers have looked
        if self._process.poll() is None:
            self._process.terminate()
            self._killer = Timer(KILL_AFTER_SECONDS, self._process.kill)
            self._killer.daemon = True
            self._killer.start()


def _lines(stream: IO[bytes] | None, see: Callable[[str], None]) -> None:
    assert stream is not None  # noqa: S101 - piped above
    with stream:
        for line in stream:
            see(line.decode(errors="replace").rstrip("\r\n"))
