"""What happens when a task has failed for good."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

HOOK_VARIABLE = "SCHOOLBELL_AIRFLOW_ON_FAILURE"
"""Names a function of the site, `package.module:function`, that is called with the task's context."""

log = logging.getLogger(__name__)


def on_failure(context: Mapping[str, Any]) -> None:
    """Says in one line what failed, and calls the site's own function if there is one.

    Retries that are still to come are no failure: Airflow calls this after the last one only.
    """
    instance = context["task_instance"]
    log.error(
        "ALERT %s.%s failed for good (run %s, try %s): %s",
        instance.dag_id,
        instance.task_id,
        instance.run_id,
        instance.try_number,
        context.get("exception"),
    )
    if hook := os.environ.get(HOOK_VARIABLE):
        module, _, name = hook.partition(":")
        getattr(import_module(module), name)(context)
