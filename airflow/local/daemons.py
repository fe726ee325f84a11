"""Processes that live as long as the program that starts them."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

STOP_SECONDS = 10.0
"""From SIGTERM to SIGKILL."""

_PR_SET_PDEATHSIG = 1


class DaemonDiedError(Exception):
    """A daemon that ended before it was told to."""


class Daemon:
    """A program in the background, its output in a file."""

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        """Starts it, in a session of its own: a Ctrl-C reaches its owner, who ends it in good order."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and the arguments are ours
                argv,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - one call, and no thread runs yet
            )

    def check(self) -> None:
        """Raises what its log says last, if it has ended."""
        code = self._process.poll()
        if code is not None:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise DaemonDiedError(f"{self.name} ended with {code}; {self.log} ends:\n{last}")

    def wait(self) -> int:
        """Waits for its end, and answers its exit code."""
        return self._process.wait()

    def family(self) -> list[psutil.Process]:
        """Its process and all below it that live."""
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def stop(daemons: Sequence[Daemon]) -> None:
    """Ends daemons and all that they have started, and returns when none is left."""
    # Looked up before the first of them ends, after which its children have another parent.
    families = [process for daemon in daemons for process in daemon.family()]
    for process in families:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(families, timeout=STOP_SECONDS)
    # Those too that were started in between.
    alive += [child for process in alive for child in _children(process)]
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=STOP_SECONDS)


def wait_until(what: str, true: Callable[[], Any], *, seconds: float, daemons: Sequence[Daemon] = ()) -> Any:
    """Asks until the answer is truthy, and returns it; fails when it takes too long, or a daemon dies."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        for daemon in daemons:
            daemon.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
    return answer


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of loopback."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end_with_parent() -> None:
    """In the child: asks the kernel for SIGTERM when the parent dies, of whatever cause."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
