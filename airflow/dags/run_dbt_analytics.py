"""### Compute staging and marts.

Starts when `load_raw_data` has loaded a day, once for each, with the batch date as its partition key. Runs go one
after the other: each brings the marts to the latest day loaded.

1. `find_changes`: where an earlier run has taken the day along, as after a backfill, the rest is skipped;
2. `build_staging`: seeds and staging models, with their tests;
3. `build_marts`: intermediate models and marts, with theirs.

A failed test fails the run at once: its lines say which. Mend the data or the model, then clear the failed task.
Running it again is always safe. A run that is triggered by hand always builds: do so after a model, a seed or an
option has changed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, PartitionedAssetTimetable
from schoolbell_airflow import fields
from schoolbell_airflow.assets import RAW_EVENTS
from schoolbell_airflow.operators import DbtBuildOperator, FindChangesOperator
from schoolbell_airflow.settings import Settings

settings = Settings.from_environment()

with DAG(
    dag_id="run_dbt_analytics",
    description="Staging and marts, after each day that was loaded",
    schedule=PartitionedAssetTimetable(assets=RAW_EVENTS),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    # Two builds at once would write the same tables.
    max_active_runs=1,
    default_args={
        **settings.task_defaults(),
        "pool": settings.pool,
        "execution_timeout": timedelta(seconds=settings.dbt_timeout_seconds),
    },
    tags=["schoolbell", "dbt"],
    doc_md=__doc__,
) as dag:
    find_changes = FindChangesOperator(task_id="find_changes", bin=fields.BIN)
    build_staging = DbtBuildOperator(
        task_id="build_staging",
        # Tests that also need a mart wait for it.
        select=["resource_type:seed", "path:models/staging"],
        indirect_selection="buildable",
        project_dir=fields.DBT_PROJECT,
        work_dir=fields.WORK_DIR,
        bin=fields.DBT_BIN,
    )
    build_marts = DbtBuildOperator(
        task_id="build_marts",
        select=["path:models/intermediate", "path:models/marts"],
        project_dir=fields.DBT_PROJECT,
        work_dir=fields.WORK_DIR,
        bin=fields.DBT_BIN,
    )
    find_changes >> build_staging >> build_marts
