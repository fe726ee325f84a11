"""What one DAG makes and the other waits for."""

from __future__ import annotations

from airflow.sdk import Asset

RAW_EVENTS = Asset(name="raw_events", uri="schoolbell://raw/events", group="schoolbell")
"""A day in the `raw` tables; its partitions are batch dates. The extra of its events has the load's figures."""
