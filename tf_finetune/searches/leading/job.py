"""What a search is about: configuration, encoder, data, space, and where it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import describe_folds, rounds_of
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.weights import pretrained
from tf_finetune.results.trial import exact_rate
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.space import SearchSpace, cell_at
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.live import duration
from tf_finetune.searches.running.records import TrialJournal


@dataclass(frozen=True)
class SearchJob:
    """All that a search needs to know.

    Attributes:
        config: The resolved configuration.
        files: The encoder.
        splits: The data.
        space: What may be tried.
        directory: Where everything goes.
        journal: The trials that ended.
        preflight: What the TPU compiler said of the encoder, for the report; None: not asked.
    """

    config: ExperimentConfig
    files: EncoderFiles
    splits: Splits
    space: SearchSpace
    directory: SearchDirectory
    journal: TrialJournal
    preflight: Mapping[str, Any] | None = None

    @property
    def folds(self) -> int | None:
        """How many folds take the place of the validation split; None if there is one."""
        return None if self.splits.folds is None else len(rounds_of(self.splits))

    @property
    def metric(self) -> str:
        """The score that decides."""
        return self.splits.labels.monitor(self.config.training.monitor)[0]

    @property
    def higher_is_better(self) -> bool:
        """Its direction."""
        return self.splits.labels.monitor(self.config.training.monitor)[1]


def describe_search(job: SearchJob) -> list[str]:
    """Lines to print before the first trial."""
    space, search = job.space, job.config.search
    start = pretrained(job.files, job.splits.labels, job.splits.train.labels)
    lines = [
        f"search in {job.directory.path}, by {search.oracle}, for the best {job.metric}",
        *job.files.lines(),
        *start.lines(),
    ]
    for place in sorted(space.places, key=lambda place: place.depth):
        rates, words = space.rates[place], cell_at(place, None).place_words
        if space.is_solved(place):
            lines.append(
                f"  depth {words}: the head alone, solved exactly, the same for every seed"
            )
            continue
        if isinstance(rates, RateRange):
            text = f"{exact_rate(rates.low)} to {exact_rate(rates.high)}"
        else:
            text = ", ".join(map(exact_rate, rates))
        lines.append(f"  depth {words}: learning rates {text}")
    lines += [f"  {name}: {', '.join(map(str, values))}" for name, values in space.dimensions]
    cells = min(space.max_cells, len(space.cells())) if space.is_finite else space.max_cells
    seeds = ", ".join(map(str, space.seeds))
    if search.oracle == "race":
        lines.append(
            f"{cells} cells race, each with up to {len(space.seeds)} seed(s) ({seeds}) of "
            f"{job.config.training.epochs} epochs, until one is within the tolerance of the best "
            f"with {search.confidence:.0%}; each trial sets its own freeze.depth, "
            "training.learning_rate and training.seed"
        )
        return [*lines, *_data_lines(job)]
    solved = sum(map(space.is_solved, space.places))
    trials = cells * len(space.seeds) - solved * (len(space.seeds) - 1)
    lines.append(
        f"{cells} cells x {len(space.seeds)} seed(s) ({seeds}) = {trials} trials "
        f"of {job.config.training.epochs} epochs, and more where an edge is widened; each sets its "
        "own freeze.depth, training.learning_rate and training.seed"
    )
    return [*lines, *_data_lines(job)]


def _data_lines(job: SearchJob) -> list[str]:
    """Folds, and what an earlier process did."""
    lines = []
    if job.splits.folds is not None:
        lines += [*describe_folds(job.splits), "each trial trains a model for every fold"]
    if job.journal.records:
        spent = sum(record.wall_seconds for record in job.journal.records.values())
        lines.append(
            f"going on: {len(job.journal.records)} trials ({duration(spent)}) are in the journal"
        )
    return lines
