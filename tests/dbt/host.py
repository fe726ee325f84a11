"""dbt for the tests: one process that has imported dbt and parsed the project, and forks for every command.

Imports and a first parse are most of the CPU time of a short dbt command. A fork has both behind it, and else runs
what the program `dbt` runs: the same arguments, in an environment, a folder and a process of its own.

A client connects, sends `{"arguments": […], "environment": {…}}` as a line of JSON, and gets
`{"code": 0, "stdout": "…", "stderr": "…"}` when the command has ended.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import IO

from dbt.cli.main import cli, dbtRunner

PROJECT = str(Path(__file__).resolve().parents[2] / "dbt")


def main() -> None:
    """Parses the project once, says where it listens, and serves until it is killed."""
    os.environ.update(DBT_PROJECT_DIR=PROJECT, DBT_PROFILES_DIR=PROJECT, DBT_SEND_ANONYMOUS_USAGE_STATS="false")
    with tempfile.TemporaryDirectory() as folder:
        # dbt's parser in Rust has threads, which a fork would wait for in vain: it is left out here.
        arguments = ["--quiet", "parse", "--no-static-parser", "--target-path", folder, "--log-path", folder]
        parsed = dbtRunner().invoke(arguments)
    if not parsed.success:
        sys.exit(f"dbt cannot parse the project: {parsed.exception}")
    # Memory that forks share is not to be written to.
    gc.collect()
    gc.freeze()
    # The kernel forgets children that have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"dbt listens on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _serve(client)
                os._exit(0)
            client.close()


def _serve(client: socket.socket) -> None:
    """Runs the command that a client asks for, in this process, and answers how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with client, client.makefile("rw", encoding="utf-8") as stream:
        request = json.loads(stream.readline())
        os.environ.update(request["environment"])
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            code = _run(request["arguments"])
            answer = {"code": code, "stdout": _text(stdout), "stderr": _text(stderr)}
        stream.write(json.dumps(answer) + "\n")


def _run(arguments: list[str]) -> int:
    """What the program `dbt` does, and its exit code."""
    sys.argv = ["dbt", *arguments]
    try:
        cli()
        code: object = 0
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


if __name__ == "__main__":
    main()
