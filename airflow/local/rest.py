"""Airflow's REST API, as far as the local Airflow and its tests need it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

TIMEOUT_SECONDS = 60

_open = build_opener(ProxyHandler({})).open
"""On loopback, whatever proxy the environment names."""


class ApiError(Exception):
    """A request that Airflow refused, in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One Airflow's API."""

    def __init__(self, url: str) -> None:
        """`url` is the web page's address."""
        self.url = url
        self._token: str | None = None

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON document at a path below `/api/v2`."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Sends a request with a JSON body, and answers the JSON document that comes back."""
        if self._token is None:
            self._token = self._send("GET", "/auth/token", None, None)["access_token"]
        return self._send(method, f"/api/v2{path}", body, self._token)

    def put_connection(self, conn_id: str, **fields: object) -> None:
        """Makes a Connection, or replaces it."""
        body = {"connection_id": conn_id, **fields}
        try:
            self.call("POST", "/connections", body)
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self.call("PATCH", f"/connections/{quote(conn_id)}", body)

    def set_variable(self, key: str, value: str) -> None:
        """Makes a Variable."""
        self.call("POST", "/variables", {"key": key, "value": value})

    def unpause(self, dag_id: str) -> None:
        """Lets the scheduler run a DAG."""
        self.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def _send(self, method: str, path: str, body: object, token: str | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310 - http on loopback
        try:
            with _open(request, timeout=TIMEOUT_SECONDS) as response:
                text = response.read()
        except HTTPError as error:
            said = error.read().decode(errors="replace")
            raise ApiError(error.code, f"{method} {path}: {error.code} {said}") from error
        return json.loads(text) if text else None
