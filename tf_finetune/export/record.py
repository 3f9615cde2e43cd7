"""`export.json`: what was exported from what, for people and programs that find the files."""

from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.reports.page.next_steps import local_time, software_versions
from tf_finetune.tasks.labels import LabelSpace


def export_record(labels: LabelSpace, config: ExperimentConfig, **found: Any) -> dict[str, Any]:
    """Gathers what a program needs to use a model, and what was measured.

    Args:
        labels: What the outputs mean.
        config: The run's configuration.
        found: Figures by name.
    """
    return {
        "task": labels.task,
        "label_names": list(labels.names),
        **({} if labels.threshold is None else {"label_threshold": labels.threshold}),
        "max_length": config.data.max_length,
        **({"reads": labels.reads_words} if labels.reads_several() else {}),
        "pairs": config.data.text_pair_column is not None,
        "created": local_time(),
        "versions": software_versions(),
        **found,
    }
