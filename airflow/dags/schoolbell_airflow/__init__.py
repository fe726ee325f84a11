"""What Schoolbell's DAGs are made of.

- `settings`: the shape of the DAGs, from environment variables; all there is to read at import time;
- `fields`: the batch date and the places in S3, worked out when a task runs;
- `connections`: Airflow Connections as environment variables of the programs that tasks run;
- `program`: a child process that logs, ends with its task and leaves nothing behind;
- `operators`: `schoolbell load` and `dbt build` as Airflow tasks;
- `assets`: what one DAG makes and the other waits for;
- `alerts`: what happens when a task has failed for good.
"""
