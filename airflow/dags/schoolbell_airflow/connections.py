"""Airflow Connections as environment variables of the programs that tasks run.

A secret goes this way and no other: not into arguments, which every user of a machine can read, nor into template
fields, which the web page shows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

CLICKHOUSE_CONN_ID = "schoolbell_clickhouse"
S3_CONN_ID = "schoolbell_s3"

_NOT_PASSED_ON = ("AIRFLOW", "_AIRFLOW", "PYTHON", "VIRTUAL_ENV")
"""Airflow's own keys and connections are no business of a program; nor is its Python."""


def environment(conn_id: str | None) -> dict[str, str]:
    """The environment of a program that talks to the warehouse.

    It is the worker's, without what concerns Airflow alone, and with the Connection `conn_id`. Where there is no such
    Connection, the worker's own `CLICKHOUSE_*` variables hold, and where there are none of these, the programs' own
    defaults.
    """
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    if conn_id is not None:
        with suppress(AirflowNotFoundException):
            passed_on |= clickhouse(BaseHook.get_connection(conn_id))
    return passed_on


def clickhouse(connection: Connection) -> dict[str, str]:
    """The variables that `schoolbell` and its dbt profile read, of a Connection of type HTTP.

    Host, port, login and password as they are called; `https` as its schema; the databases' prefix as
    `database_prefix` in its extra fields.
    """
    variables = {"CLICKHOUSE_URL": _url(connection)}
    extra: Mapping[str, str] = connection.extra_dejson
    for name, value in (
        ("CLICKHOUSE_USER", connection.login),
        ("CLICKHOUSE_PASSWORD", connection.password),
        ("SCHOOLBELL_DATABASE_PREFIX", extra.get("database_prefix")),
    ):
        if value is not None:
            variables[name] = value
    return variables


def _url(connection: Connection) -> str:
    host = connection.host or "127.0.0.1"
    if "://" not in host:
        scheme = connection.schema if connection.schema in ("http", "https") else "http"
        # An IPv6 address as it is.
        host = f"{scheme}://[{host}]" if host.count(":") > 1 and not host.startswith("[") else f"{scheme}://{host}"
    parts = urlsplit(host)
    port = connection.port or parts.port or (8443 if parts.scheme == "https" else 8123)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}:{port}"
