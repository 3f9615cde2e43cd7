"""A run's model folder, with a card that says what the model is, for others to use."""

import shutil
from pathlib import Path

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.export.model_card import CARD, read_record, write_model_card
from tf_finetune.export.smaller.making import SmallerModel
from tf_finetune.runs.model_folder import ADDED_FILE
from tf_finetune.storage.manifests import MANIFEST
from tf_finetune.storage.run_directory import RunDirectory


def write_huggingface_folder(
    folder: Path,
    run: RunDirectory,
    files: EncoderFiles,
    config: ExperimentConfig,
    smaller: SmallerModel | None = None,
) -> None:
    """Copies a checked model folder and adds a model card.

    Args:
        folder: An empty folder.
        run: The finished run.
        files: The model folder, checked: the run's, or that of a smaller model made of it.
        config: The run's configuration.
        smaller: That smaller model.

    Raises:
        UserError: A file of the run that the card tells of is missing or damaged.
    """
    record = read_record(run, config)
    for path in files.path.iterdir():
        if path.is_file() and path.name not in (MANIFEST, ADDED_FILE):
            shutil.copyfile(path, folder / path.name)
    write_model_card(folder / CARD, record, files.config, config.data.max_length, smaller)
