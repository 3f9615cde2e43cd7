"""The labelled examples of a job: whether they are there, and what is in them."""

from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.sources.opening import check_sources

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class Examples(NamedTuple):
    """Tokenised examples.

    Attributes:
        config: The configuration; what was inferred of the data and of the encoder is filled in.
        tokenizer: That of the encoder.
        splits: The data.
        files: The encoder, read as the task reads it.
    """

    config: ExperimentConfig
    tokenizer: "PreTrainedTokenizerFast"
    splits: Splits
    files: EncoderFiles


def load_examples(config: ExperimentConfig, files: EncoderFiles, console: Console) -> Examples:
    """Reads every row.

    Args:
        config: The configuration, its section `data` from `fitted_inputs`.
        files: The encoder.
        console: Where reading is told.

    Raises:
        UserError: A source cannot be opened, or with every row that is not as it should be.
    """
    check_sources(config.data)
    tokenizer = load_tokenizer(files)
    splits, data = load_splits(config.data, tokenizer, console=console)
    files = files.read_by(splits.labels.pooling)
    encoder = config.encoder.model_copy(update=files.options())
    config = config.model_copy(update={"data": data, "encoder": encoder})
    return Examples(config, tokenizer, splits, files)


def check_examples(config: ExperimentConfig, file: str | None) -> None:
    """Refuses labelled examples that are not there: a file's, or those of the run.

    Raises:
        UserError: A source cannot be opened.
    """
    data = config.data
    if file is not None:
        data = data.model_copy(update={"train": None, "validation": None, "test": file})
    check_sources(data)
