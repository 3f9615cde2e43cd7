"""Several trained models that answer as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.evaluation.averaging import averaged_logits
from tf_finetune.runs.outputs import Outputs
from tf_finetune.runs.trained_model import TrainedModel, load_trained_model
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.strategy import ChosenStrategy


@dataclass(frozen=True)
class Ensemble:
    """Models of the same labels whose answers are averaged; a single one answers for itself.

    Attributes:
        members: The models.
    """

    members: tuple[TrainedModel, ...]

    @property
    def labels(self) -> LabelSpace:
        """What the outputs mean."""
        return self.members[0].labels

    @property
    def tokenizer(self) -> Any:
        """The tokenizer that all were trained with."""
        return self.members[0].tokenizer

    def logits_of(
        self, records: Sequence[Record], batch_size: int, *, traced: bool | None = None
    ) -> np.ndarray:
        """As `TrainedModel.logits_of`, of averaged answers."""
        return self.outputs_of(records, batch_size, traced=traced).logits

    def outputs_of(
        self, records: Sequence[Record], batch_size: int, *, traced: bool | None = None
    ) -> Outputs:
        """Averaged answers to some examples, with the rows that were answered."""
        rows = self.members[0].rows_of(records)
        found = [m.logits_of(records, batch_size, traced=traced, rows=rows) for m in self.members]
        return Outputs(records, rows, self._averaged(found))

    def split_logits(self, split: Split) -> np.ndarray:
        """As `scoring.split_logits`, of averaged answers."""
        from tf_finetune.runs.scoring import split_logits  # loads scikit-learn

        return self._averaged(
            [split_logits(one.model, split, one.config, one.chosen) for one in self.members]
        )

    def _averaged(self, logits: list[np.ndarray]) -> np.ndarray:
        return logits[0] if len(logits) == 1 else averaged_logits(self.labels, logits)


def load_ensemble(
    members: Sequence[EncoderFiles],
    labels: LabelSpace,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
) -> Ensemble:
    """Loads model folders, one after the other; the arguments are `load_trained_model`'s."""
    return Ensemble(tuple(load_trained_model(files, labels, config, chosen) for files in members))
