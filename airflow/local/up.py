"""A real Airflow on this machine: api-server, scheduler, dag-processor, triggerer, ClickHouse and an S3 server.

`cargo xtask airflow` runs this. Everything lives in one folder, is made anew by each start, and ends with this
program.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import boto3
from daemons import Daemon, DaemonDiedError, free_port, is_free, stop, wait_until
from rest import Api, ApiError

REPOSITORY = Path(__file__).resolve().parents[2]
BUCKET = "schoolbell"
S3_SECRET = "any"  # noqa: S105 - the server takes any
USER = "schoolbell"
PASSWORD_VARIABLE = "SCHOOLBELL_LOCAL_PASSWORD"  # noqa: S105 - the variable's name
"""The password of the local ClickHouse's user; a random one unless it is set."""

USERS = """<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <default><password/><networks><ip>127.0.0.1</ip></networks></default>
        <{user}>
            <password_sha256_hex>{digest}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip></networks>
        </{user}>
    </users>
</clickhouse>
"""
WEB_PORT = 8080
READY_SECONDS = 180
DAGS = ("load_raw_data", "run_dbt_analytics")


@dataclass(frozen=True)
class Options:
    """The command line."""

    folder: Path
    schoolbell: Path
    dbt: Path
    moto: Path
    web_port: int
    users: int
    days: int
    paused: bool

    @classmethod
    def parse(cls, arguments: list[str]) -> Options:
        """Reads it, or says how it should be and exits."""
        parser = argparse.ArgumentParser(prog="cargo xtask airflow", description=__doc__)
        programs = parser.add_argument_group("programs (given by cargo xtask)")
        for program in ("schoolbell", "dbt", "moto"):
            programs.add_argument(f"--{program}", type=Path, required=True, help=argparse.SUPPRESS)
        parser.add_argument("--folder", type=Path, required=True, help="where everything lives; emptied first")
        parser.add_argument("--web-port", type=int, default=0, help=f"of the web page (default: {WEB_PORT}, if free)")
        parser.add_argument("--users", type=int, default=500, help="how many users the generated days have")
        parser.add_argument("--days", type=int, default=7, help="how many days up to yesterday are put into S3")
        parser.add_argument("--paused", action="store_true", help="start no run")
        return cls(**vars(parser.parse_args(arguments)))


def main() -> int:
    """Brings it up, says where it is, and waits for Ctrl-C."""
    options = Options.parse(sys.argv[1:])
    with ExitStack() as cleanup:
        cleanup.enter_context(_interruptible())
        try:
            stack = Stack(options, cleanup)
            print(stack.greeting(), flush=True)
            stack.watch()
        except KeyboardInterrupt:
            print("Ending …", flush=True)
        except (DaemonDiedError, TimeoutError, subprocess.CalledProcessError) as error:
            print(f"cargo xtask airflow: {error}", file=sys.stderr, flush=True)
            return 1
    return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM as Ctrl-C; only the first one counts, since after it there is much to end."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    yield


class Stack:
    """All of it, running."""

    def __init__(self, options: Options, cleanup: ExitStack) -> None:
        """Brings everything up; what is to be ended is left to `cleanup`."""
        self.options = options
        self.folder = options.folder.resolve()
        warehouse = self.folder / "warehouse"
        # An earlier one's, if that was killed.
        _quiet([options.schoolbell, "warehouse", "stop", "--data", warehouse])
        if self.folder.exists():
            shutil.rmtree(self.folder)
        (self.folder / "logs").mkdir(parents=True)

        port = options.web_port or (WEB_PORT if is_free(WEB_PORT) else free_port())
        self.url = f"http://127.0.0.1:{port}"
        self.api = Api(self.url)
        self.daemons: list[Daemon] = []
        cleanup.callback(lambda: stop(self.daemons))
        self._password = os.environ.pop(PASSWORD_VARIABLE, None) or secrets.token_urlsafe()
        self.env = self._environment(port)

        _say("starting ClickHouse and an S3 server")
        s3_port = free_port()
        self.s3_url = f"http://127.0.0.1:{s3_port}"
        self._start("s3", [options.moto, "-H", "127.0.0.1", "-p", str(s3_port)], dict(os.environ))
        cleanup.callback(lambda: _quiet([options.schoolbell, "warehouse", "stop", "--data", warehouse]))
        self._make_user(warehouse)
        start = ["warehouse", "start", "--data", warehouse, "--http-port", "0", "--tcp-port", "0", "--output", "json"]
        self.clickhouse_url: str = json.loads(_output([options.schoolbell, *start]))["url"]
        _output([options.schoolbell, "init", "--url", self.clickhouse_url])

        _say("making Airflow's database")
        airflow = Path(sys.executable).with_name("airflow")
        migrate = Daemon(
            "airflow db migrate", [str(airflow), "db", "migrate"], env=self.env, log=self._log("migrate")
        )
        # Among the daemons while it runs, so that Ctrl-C ends it too.
        self.daemons.append(migrate)
        if migrate.wait() != 0:
            migrate.check()
        self.daemons.remove(migrate)

        _say("starting Airflow")
        for name, arguments in {
            "api-server": [],
            "scheduler": ["--skip-serve-logs"],
            "dag-processor": [],
            "triggerer": ["--skip-serve-logs"],
        }.items():
            self._start(name, [airflow, name, *arguments], self.env)
        self._seed()
        wait_until("Airflow is up", self._is_ready, seconds=READY_SECONDS, daemons=self.daemons)
        self._configure()
        (self.folder / "state.json").write_text(json.dumps(self.state(), indent=2))

    def state(self) -> dict[str, str]:
        """Where everything is."""
        return {"web": self.url, "s3": self.s3_url, "clickhouse": self.clickhouse_url, "folder": str(self.folder)}

    def greeting(self) -> str:
        """What a user wants to know first."""
        dags = "are paused" if self.options.paused else "run now for the last day; look at the web page"
        example = "SELECT * FROM marts.fct_activity_daily LIMIT 5 FORMAT Pretty"
        return f"""
Airflow answers at {self.url} (no login). The DAGs {dags}.

  day files         s3://{BUCKET}/events/, at {self.s3_url}; the last {self.options.days} days are there
  ClickHouse        curl {self.clickhouse_url} -d '{example}'
  logs              {self.folder / "logs"}
  try               a backfill of load_raw_data over the last days (its last date is exclusive)

Ctrl-C ends everything."""

    def watch(self) -> None:
        """Returns never, unless a daemon dies or a signal comes."""
        forever = threading.Event()
        while not forever.wait(1):
            for daemon in self.daemons:
                daemon.check()

    def _environment(self, port: int) -> dict[str, str]:
        """Airflow's configuration."""
        config = {
            "core__dags_folder": str(REPOSITORY / "airflow" / "dags"),
            "core__load_examples": "False",
            "core__executor": "LocalExecutor",
            "core__parallelism": "4",
            "core__execution_api_server_url": f"{self.url}/execution/",
            "core__simple_auth_manager_all_admins": "True",
            "core__fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "database__sql_alchemy_conn": f"sqlite:///{self.folder / 'airflow.db'}",
            "api__host": "127.0.0.1",
            "api__port": str(port),
            "api__base_url": self.url,
            "api__workers": "1",
            "api__secret_key": secrets.token_hex(32),
            "api_auth__jwt_secret": secrets.token_hex(32),
            "logging__base_log_folder": str(self.folder / "logs"),
            "usage_data_collection__enabled": "False",
        }
        return {
            **os.environ,
            **{f"AIRFLOW__{name.upper()}": value for name, value in config.items()},
            "AIRFLOW_HOME": str(self.folder),
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"])),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _make_user(self, warehouse: Path) -> None:
        """A user with a password, which the local engine does not have of itself."""
        settings = warehouse / "engine.d"
        settings.mkdir(parents=True)
        users = warehouse / "users.xml"
        digest = hashlib.sha256(self._password.encode()).hexdigest()
        users.write_text(USERS.format(user=USER, digest=digest))
        where = f"<clickhouse><users_config>{escape(str(users))}</users_config></clickhouse>\n"
        (settings / "users.xml").write_text(where)

    def _start(self, name: str, argv: list[Any], env: dict[str, str]) -> None:
        self.daemons.append(Daemon(name, [str(word) for word in argv], env=env, log=self._log(name)))

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def _seed(self) -> None:
        """Puts generated days into S3."""
        client = boto3.client(
            "s3",
            endpoint_url=self.s3_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key=S3_SECRET,
        )

        def answers() -> bool:
            with suppress(Exception):
                client.list_buckets()
                return True
            return False

        wait_until("the S3 server answers", answers, seconds=60, daemons=self.daemons)
        client.create_bucket(Bucket=BUCKET)
        if self.options.days == 0:
            return
        _say(f"generating {self.options.days} days of {self.options.users} users")
        days = self.folder / "days"
        counts = ["--days", str(self.options.days), "--users", str(self.options.users), "--compress", "gz"]
        _output([self.options.schoolbell, "--quiet", "generate", "--force", "--out", days, *counts])
        for file in sorted(days.glob("*.jsonl.gz")):
            client.upload_file(str(file), BUCKET, f"events/{file.name}")

    def _is_ready(self) -> bool:
        """Whether all four daemons are healthy and the DAGs are known."""
        try:
            health = self.api.get("/monitor/health")
            if any(part["status"] != "healthy" for part in health.values()):
                return False
            known = {dag["dag_id"] for dag in self.api.get("/dags")["dags"]}
        except (URLError, ConnectionError, ApiError):
            return False
        return known.issuperset(DAGS)

    def _configure(self) -> None:
        """Connections and Variables, as a user would make them, and the DAGs switched on."""
        clickhouse = urlsplit(self.clickhouse_url)
        self.api.put_connection(
            "schoolbell_clickhouse",
            conn_type="http",
            host=clickhouse.hostname,
            port=clickhouse.port,
            login=USER,
            password=self._password,
        )
        self.api.put_connection(
            "schoolbell_s3",
            conn_type="aws",
            login="local",
            password=S3_SECRET,
            extra=json.dumps({"endpoint_url": self.s3_url, "region_name": "us-east-1"}),
        )
        self.api.set_variable("schoolbell_bin", str(self.options.schoolbell))
        self.api.set_variable("schoolbell_dbt_bin", str(self.options.dbt))
        self.api.set_variable("schoolbell_dbt_project", str(REPOSITORY / "dbt"))
        self.api.set_variable("schoolbell_work_dir", str(self.folder / "work"))
        if not self.options.paused:
            for dag in DAGS:
                self.api.unpause(dag)


def _output(argv: list[Any]) -> str:
    """Runs a program to its end, which is to be a good one, and answers its stdout."""
    words = [str(word) for word in argv]
    # A session of its own: a Ctrl-C is ours to handle.
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, start_new_session=True).stdout  # noqa: S603


def _quiet(argv: list[Any]) -> None:
    """Runs a program whose failure is of no interest."""
    words = [str(word) for word in argv]
    subprocess.run(words, check=False, capture_output=True, start_new_session=True)  # noqa: S603


def _say(what: str) -> None:
    print(f"-- {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
