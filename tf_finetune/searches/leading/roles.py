"""What part a process plays in a parallel search, as KerasTuner's environment tells it."""

import os
from collections.abc import Mapping


def is_worker(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is one of KerasTuner's workers."""
    return "KERASTUNER_ORACLE_IP" in environment and not is_chief(environment)


def is_chief(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process was told to be the chief of workers on other machines."""
    return "KERASTUNER_ORACLE_IP" in environment and "chief" in environment.get(
        "KERASTUNER_TUNER_ID", ""
    )
