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


def environment(clickhouse_conn_id: str | None, aws_conn_id: str | None = None) -> dict[str, str]:
    """The environment of a program that talks to the warehouse, and to S3.

    It is the worker's, without what concerns Airflow alone, and with these Connections. Where there is no such
    Connection, the worker's own `CLICKHOUSE_*` and `AWS_*` variables hold, and where there are none of these, the
    programs' own defaults (for S3, the machine's role).
    """
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    for conn_id, variables in ((clickhouse_conn_id, clickhouse), (aws_conn_id, aws)):
        if conn_id is not None:
            with suppress(AirflowNotFoundException):
                passed_on |= variables(BaseHook.get_connection(conn_id))
    # A variable of the worker that the Connection takes away.
    return {name: value for name, value in passed_on.items() if value}


def aws(connection: Connection) -> dict[str, str]:
    """The variables by which programs find S3, of a Connection of type AWS.

    Whatever such a Connection may say of roles and profiles is worked out by Airflow's own hook.
    """
    # Imported here: it is big, and DAG files are imported far more often than this runs.
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook(aws_conn_id=connection.conn_id)
    credentials = hook.get_credentials()
    endpoint = hook.conn_config.get_service_endpoint_url("s3")
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        # Also where there is none: the worker's own belongs to other keys.
        "AWS_SESSION_TOKEN": credentials.token or "",
    }
    if hook.region_name:
        variables["AWS_REGION"] = hook.region_name
    if endpoint:
        variables["AWS_ENDPOINT_URL"] = endpoint
        # An address that is spelt with http is meant.
        variables["AWS_ALLOW_HTTP"] = "true" if endpoint.startswith("http://") else "false"
    return variables


def clickhouse(connection: Connection) -> dict[str, str]:
    """The variables that `schoolbell` and its dbt profile read, of a Connection of type HTTP.

    Host, port, login and password as they are called; `https` as its schema; the databases' prefix as
    `database_prefix` in its extra fields.
    """
    variables = {
        "CLICKHOUSE_URL": _url(connection),
        # Also where there is none: the worker's own belongs to another user.
        "CLICKHOUSE_USER": connection.login or "",
        "CLICKHOUSE_PASSWORD": connection.password or "",
    }
    extra: Mapping[str, str] = connection.extra_dejson
    if "database_prefix" in extra:
        variables["SCHOOLBELL_DATABASE_PREFIX"] = extra["database_prefix"]
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
