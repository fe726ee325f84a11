"""A gate before ClickHouse: open, closed, or holding whoever comes."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from typing import Literal


class Gate:
    """Listens on a port of loopback and leads to another one."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.leads_to: int | None = None
        self.state: Literal["open", "closed", "holding"] = "open"
        """`closed` hangs up at once; `holding` takes the call and never answers."""
        self._held: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listens no more."""
        self._listener.close()
        self.release()

    def release(self) -> None:
        """Hangs up on those it holds."""
        while self._held:
            self._held.pop().close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                if self.state == "closed" or self.leads_to is None:
                    caller.close()
                elif self.state == "holding":
                    self._held.append(caller)
                else:
                    server = socket.create_connection(("127.0.0.1", self.leads_to))
                    for source, sink in ((caller, server), (server, caller)):
                        Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
