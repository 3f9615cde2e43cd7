"""A model that Keras trained as the folder of a run, which `load` and the commands open."""

from collections.abc import Callable
from pathlib import Path

from tf_finetune.config.saving import write_config
from tf_finetune.errors import UserError
from tf_finetune.models.spec import Spec
from tf_finetune.runs.metrics_file import write_metrics
from tf_finetune.storage.run_directory import RunDirectory


def write_run(
    folder: Path,
    spec: Spec,
    write_model: Callable[[Path], object],
    text_pair_column: str | None = None,
) -> None:
    """Writes what answering needs of a run: the model, its options and its plan.

    There are no scores and no page, as nothing is known of the examples.

    Args:
        folder: A new or an empty one.
        spec: What the model is.
        write_model: Writes its folder.
        text_pair_column: `data.text_pair_column` of a model that judges pairs.

    Raises:
        UserError: The folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: holds files; accepted: a new folder")
    data = {"task": spec.labels.task, "text_pair_column": text_pair_column}
    config = spec.config.model_copy(
        update={
            "data": spec.config.data.model_copy(update=data),
            "run": spec.config.run.model_copy(update={"dir": str(folder)}),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    run = RunDirectory(folder)
    write_model(run.model)
    write_config(config, run.config)
    run.write_json(run.plan, spec.plan.to_dict())
    write_metrics(run.metrics, {})  # the last of them: it marks the run as finished
    run.write_manifest()
