"""### Load the day before into the `raw` tables.

Every night at 02:00 UTC, for the day before (the *batch date*, the run's partition key):

1. `wait_for_day` waits for the day's files in S3, without holding a worker;
2. `load_day` brings them to the worker's disk, runs `schoolbell load` on them, and publishes the asset `raw_events`
   for that date, from which `run_dbt_analytics` starts.

A day becomes visible whole or not at all. Clearing and running it again is always safe.

| it fails with | what to do |
|---|---|
| a time-out of `wait_for_day` | the day's file never came: ask its producer, then clear the task |
| exit code 65, bad data | `schoolbell rejects list` tells what; have the file mended and uploaded again, then clear |
| exit code 66, 77 | the file was removed, or access denied: mend, then clear |
| exit code 75, after all retries | ClickHouse or S3 has been out of reach for long: then clear |

By hand: *Trigger* takes a `batch_date` (none: yesterday). Many days: a *backfill*, whose last date is exclusive: give
the day after the last one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG, CronPartitionTimetable, Param
from schoolbell_airflow import fields
from schoolbell_airflow.assets import RAW_EVENTS
from schoolbell_airflow.connections import S3_CONN_ID
from schoolbell_airflow.operators import LoadDayOperator
from schoolbell_airflow.settings import Settings

settings = Settings.from_environment()

with DAG(
    dag_id="load_raw_data",
    description="The day before, from S3 into the raw tables",
    # Tonight's run is for yesterday: one tick back.
    schedule=CronPartitionTimetable(settings.schedule, timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    # A late day holds one of them while it waits.
    max_active_runs=settings.max_active_loads,
    default_args=settings.task_defaults(),
    params={"batch_date": Param(None, type=["null", "string"], format="date", description="YYYY-MM-DD")},
    user_defined_macros=fields.MACROS,
    tags=["schoolbell", "raw"],
    doc_md=__doc__,
) as dag:
    wait_for_day = S3KeySensor(
        task_id="wait_for_day",
        bucket_key=fields.READY_URL,
        wildcard_match=True,
        aws_conn_id=S3_CONN_ID,
        deferrable=True,
        poke_interval=settings.poke_seconds,
        timeout=settings.wait_seconds,
        # Of one look; the waiting is the triggerer's.
        execution_timeout=timedelta(minutes=10),
    )
    load_day = LoadDayOperator(
        task_id="load_day",
        batch_date=fields.BATCH_DATE,
        day_url=fields.DAY_URL,
        max_reject_ratio=fields.MAX_REJECT_RATIO,
        mapping=fields.MAPPING,
        work_dir=fields.WORK_DIR,
        bin=fields.BIN,
        pool=settings.pool,
        execution_timeout=timedelta(seconds=settings.load_timeout_seconds),
        outlets=[RAW_EVENTS],
    )
    wait_for_day >> load_day
