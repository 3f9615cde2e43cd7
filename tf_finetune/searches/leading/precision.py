"""The one precision of all cells of a search, where `training.precision` is auto."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.plans.precision import UNTIMED, ChosenPrecision, with_precision
from tf_finetune.plans.rates import resolve_rate
from tf_finetune.runs.precision import choose_precision
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.journal import checked_records
from tf_finetune.training.device_precision import check_precision
from tf_finetune.training.strategy import build_strategy


class ResolvedForSearch(NamedTuple):
    """What `training.precision` means for all cells.

    Attributes:
        config: The configuration, with a precision in place of auto.
        lines: What to tell of it.
        made: What was chosen now, to be kept; None: nothing was.
    """

    config: ExperimentConfig
    lines: tuple[str, ...] = ()
    made: ChosenPrecision | None = None


def _begun_precision(journal: Path) -> str | None:
    """The precision of the search whose journal this is; None: there is none that says it."""
    if not journal.is_file():
        return None
    records, damaged = checked_records(journal)
    if not records or 1 in damaged:
        return None
    training = records[0].get("identity", {}).get("training", {})
    return training.get("precision") if isinstance(training, Mapping) else None


def resolve_for_search(
    config: ExperimentConfig,
    files: EncoderFiles,
    splits: Splits,
    space: SearchSpace,
    directory: SearchDirectory,
    *,
    beside_another: bool = False,
) -> ResolvedForSearch:
    """Resolves `auto`: to what the search in the folder began with, else to what pays.

    Args:
        config: The configuration of the search.
        files: The encoder.
        splits: The data.
        space: What may be tried.
        directory: The folder of the search.
        beside_another: Whether another process keeps the folder, which alone may choose.

    Raises:
        UserError: The devices cannot compute in the precision, or a worker came before its chief.
    """
    wanted = config.training.precision
    if wanted == "auto":
        begun = None if config.run.overwrite else _begun_precision(directory.journal)
        if begun is not None:
            line = f"precision: {begun}, as this search began with"
            return ResolvedForSearch(with_precision(config, begun), (line,))
        if beside_another:
            raise UserError(
                f"training.precision: received auto, and no search in {directory.path} has chosen "
                "yet; accepted: start the chief first, or name a precision"
            )
        made = _chosen_for_all_cells(config, files, splits, space)
        return ResolvedForSearch(with_precision(config, made.precision), (made.line,), made)
    if wanted != "float32":
        check_precision(wanted, build_strategy(config.training.strategy))
    return ResolvedForSearch(config)


def _chosen_for_all_cells(
    config: ExperimentConfig, files: EncoderFiles, splits: Splits, space: SearchSpace
) -> ChosenPrecision:
    """Times steps at the smallest depth of those that train in steps: there a step works most.

    Cells are compared with each other, so all are computed alike.
    """
    depths = [place.depth for place in space.places if not space.is_solved(place)]
    if not depths:
        return UNTIMED
    training = config.training.model_copy(update={"solver": "steps"})
    freeze = config.freeze.model_copy(update={"depth": min(depths)})
    config = config.model_copy(update={"training": training, "freeze": freeze})
    spec = spec_of(config, files, splits.labels)
    config, _ = resolve_rate(config, spec.plan, len(splits.train))
    spec = spec_of(config, files, splits.labels)
    weights = pretrained(files, splits.labels, splits.train.labels)
    chosen = build_strategy(config.training.strategy)
    return choose_precision(spec, splits, weights, chosen).chosen
