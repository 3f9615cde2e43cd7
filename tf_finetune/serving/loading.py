"""Loads the model of a run so that it can answer at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.runs.ensemble import Ensemble
from tf_finetune.runs.opening import open_model
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import file_sha256
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.labels import LabelSpace

_VERSION_DIGITS = 12
# The texts of a turn are few, so one padded batch would be mostly padding: sorted by length and
# in eights, 64 mixed texts took a third less time on a CPU.
_PASS_TEXTS = 8


@dataclass(frozen=True)
class ServedModel:
    """A model that answers.

    Attributes:
        run: Where it came from.
        config: Its configuration.
        trained: The model, or the models of an ensemble.
        version: Names its weights, tokenizer and labels: the start of a SHA-256.
    """

    run: RunDirectory
    config: ExperimentConfig
    trained: Ensemble
    version: str

    @property
    def labels(self) -> LabelSpace:
        """What its outputs mean."""
        return self.trained.labels

    @property
    def pairs(self) -> bool:
        """Whether it takes two texts."""
        return self.config.data.text_pair_column is not None

    def logits_of(self, records: list[Record]) -> np.ndarray:
        """Logits of some texts in their order, float32 [n, labels]."""
        return self.outputs_of(records).logits

    def outputs_of(self, records: list[Record]) -> Outputs:
        """What is computed of some texts."""
        return self.trained.outputs_of(records, _PASS_TEXTS, traced=True)


def load_served_model(
    path: str, configure: Callable[[ExperimentConfig], ExperimentConfig] = lambda config: config
) -> ServedModel:
    """Loads the model of a finished run and answers one text, which traces its graph.

    Args:
        path: Folder of the run.
        configure: Applies the options of the command line.

    Raises:
        UserError: The run has not finished, or its model is damaged.
    """
    opened = open_model(path, configure)
    version = file_sha256(opened.manifest)[:_VERSION_DIGITS]
    model = ServedModel(opened.run, opened.config, opened.load(), version)
    count = model.labels.num_logits if model.labels.several_texts else 0
    choices = ("a",) * count
    logits = model.logits_of([Record(1, "a", "a" if model.pairs else None, None, choices=choices)])
    if not np.isfinite(logits).all():
        raise UserError(f"{path}: the model's outputs are NaN or infinite")
    return model


def check_same_use(old: ServedModel, new: ServedModel) -> None:
    """Checks that a new model can take an old one's place: clients rely on its labels.

    Raises:
        UserError: Task, labels or number of texts differ.
    """
    problems = [
        f"{new.run.path}: the new model's {what} {received!r}; accepted: {accepted!r}, as now"
        for what, received, accepted in (
            ("task is", new.labels.task, old.labels.task),
            ("labels are", new.labels.names, old.labels.names),
            ("second text is", new.pairs, old.pairs),
        )
        if received != accepted
    ]
    if problems:
        raise UserError(problems, hint="Start another server for it.")
