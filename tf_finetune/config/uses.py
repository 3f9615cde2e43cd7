"""Which options each command uses: --help lists these, and others are refused or noted.

An entry is a section, for all of its options, also those still to come, or one option by its
name. A command that takes new options only from a section of which it has single entries needs
an entry for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.options.marks import Mark
from tf_finetune.options.training import TrainingConfig


@dataclass(frozen=True)
class Uses:
    """The options that a command uses.

    Attributes:
        always: Entries, whether there is a FILE or not.
        with_file: Entries that matter only if a FILE is given.
        without_file: Entries that matter only if none is.
        not_these: Entries that are left out of those above.
        checks_others: Whether the values of all other options are checked too.
    """

    always: tuple[str, ...] = ()
    with_file: tuple[str, ...] = ()
    without_file: tuple[str, ...] = ()
    not_these: tuple[str, ...] = ()
    checks_others: bool = False

    def names(self, *, file: bool | None = None) -> tuple[str, ...]:
        """Dotted names in the order of the sections.

        Args:
            file: Whether there is a FILE; None gives the options of both cases.
        """
        entries = [*self.always]
        entries += self.with_file if file in (True, None) else ()
        entries += self.without_file if file in (False, None) else ()
        return tuple(
            name
            for name in option_names()
            if _is_among(name, entries) and not _is_among(name, self.not_these)
        )

    def unused(self, names: Sequence[str], *, file: bool) -> list[str]:
        """Those of some names that are options, but not of this command."""
        used = self.names(file=file)
        return [name for name in names if name in option_names() and name not in used]


def _is_among(name: str, entries: Sequence[str]) -> bool:
    return name in entries or name.split(".")[0] in entries


_TEXTS = ExperimentConfig.names_marked(Mark.TEXTS)
_LABELLED_TEXTS = (*ExperimentConfig.names_marked(Mark.TEXTS, Mark.LABELS), "data.cache_dir")
_ANSWERING = ExperimentConfig.names_marked(Mark.ANSWER)
_STEP = tuple(f"training.{name}" for name in TrainingConfig.names_marked(Mark.STEP))

TRAIN = Uses(("data", "encoder", "freeze", "method", "training", "evaluation", "cache", "run"))
SEARCH = Uses(
    (*TRAIN.always, "search"),
    not_these=ExperimentConfig.names_marked(Mark.TRIAL),
)
EVALUATE = Uses(
    (*_LABELLED_TEXTS, "evaluation", "training.padding", *_ANSWERING),
    not_these=("evaluation.calibrate",),
    without_file=("data",),  # the run's examples are split once more
)
CHECK = Uses(
    (
        *(*_LABELLED_TEXTS, *_ANSWERING),
        *("evaluation.bootstrap_resamples", "evaluation.confidence", "evaluation.mistakes"),
    ),
    without_file=("data",),
)
PREDICT = Uses((*_TEXTS, "data.label_separator", *_ANSWERING))
RANK = Uses((*_TEXTS, *_ANSWERING, "data.train", "data.validation", "data.test", "training.seed"))
EXPLAIN = Uses(PREDICT.always, not_these=("search.ensemble",))  # explains the single model
SERVE = Uses(_ANSWERING, not_these=("evaluation.batch_size",))
EXPORT = Uses(
    ("data", "evaluation", "training", "cache"),
    not_these=(
        *("training.epochs", "training.learning_rate", "training.early_stopping_patience"),
        *("training.monitor", "training.strategy", "evaluation.baselines"),
        "evaluation.calibrate",
        *("evaluation.mistakes", "evaluation.explained_mistakes"),
    ),
)
PLAN = Uses(
    (
        "encoder.name",
        "encoder.adapter",
        "encoder.pooling",
        "encoder.layers",
        "freeze",
        "method",
        "training.optimizer",
        "training.precision",
        "training.batch_size",
        *("training.layer_decay", "training.head_rate_factor", "training.reinitialise_top"),
        *("training.epochs", "training.learning_rate"),  # of phases
        "data.max_length",
    ),
    with_file=(
        *("data", *_STEP, "training.padding", "training.strategy"),
        *("training.seed", "evaluation.batch_size", "cache"),
    ),
)
PREFLIGHT = Uses(
    (
        *("encoder", "freeze", "method", "data.max_length", "data.task", "data.text_pair_column"),
        *("data.cache_dir", *_STEP, "training.batch_size", "training.padding", "training.epochs"),
        *("data.train", "training.learning_rate", "training.seed"),
    ),
    not_these=("freeze.thaw",),  # each depth is priced by itself
)
PROFILE = Uses(
    (
        *("data", "encoder.name", "encoder.adapter", "encoder.pooling", "encoder.layers"),
        *("evaluation.batch_size", "training.monitor", "training.seed"),
    )
)
VALIDATE = Uses(
    (
        *("data", "encoder.name", "encoder.adapter", "encoder.pooling", "encoder.layers"),
        *("freeze", "method"),
    ),
    checks_others=True,
)
