"""What a search needs, loaded and held against each other without TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles, fitted_inputs
from tf_finetune.errors import UserError
from tf_finetune.jobs.configured_files import configured_files
from tf_finetune.jobs.examples import load_examples
from tf_finetune.models.weights import pretrained
from tf_finetune.plans.solver import solved_where_it_can_be
from tf_finetune.reports.preflight_file import read_preflight
from tf_finetune.searches.leading.places import with_one_method
from tf_finetune.searches.leading.space import build_space

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class SearchInputs:
    """What is searched.

    Attributes:
        config: The configuration; what was inferred of the data and of the encoder is filled in.
        files: The encoder.
        tokenizer: That of the encoder.
        splits: The data.
        preflight: What the TPU compiler said of the encoder; None: not asked.
    """

    config: ExperimentConfig
    files: EncoderFiles
    tokenizer: "PreTrainedTokenizerFast"
    splits: Splits
    preflight: Mapping[str, Any] | None


def load_search_inputs(config: ExperimentConfig, console: Console) -> SearchInputs:
    """Checks what is asked for, then reads the data.

    Args:
        config: The configuration.
        console: Where reading is told.

    Raises:
        UserError: Something is not as it should be. What is known without the data is told
            before they are read.
    """
    config = with_one_method(config)
    files = configured_files(config)
    build_space(config, files)  # what contradicts itself
    preflight = None
    if config.search.preflight is not None:
        preflight = read_preflight(config.search.preflight, files.name)
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    config, tokenizer, splits, files = load_examples(config, files, console)
    config = solved_where_it_can_be(config, type(splits.labels))
    if scored_split(splits) is None:
        raise UserError(
            "data.validation: a search compares cells on validation examples; accepted: a file, "
            "or null with a data.validation_fraction over 0, or with data.folds"
        )
    pretrained(files, splits.labels, splits.train.labels)
    return SearchInputs(config, files, tokenizer, splits, preflight)
