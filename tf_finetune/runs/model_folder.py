"""The model as a Hugging Face folder: PyTorch-layout safetensors, config.json, tokenizer."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_finetune.encoders.checkpoints.opening import UNMERGED_FILE, WEIGHTS_FILE
from tf_finetune.encoders.checkpoints.writing import pytorch_tensors, write_weights
from tf_finetune.encoders.locating import EncoderFiles, check_kinds
from tf_finetune.encoders.pooling import TEXT_POOLING
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import TARGET_DEVIATION, TARGET_MEAN
from tf_finetune.models.merged_values import added_values, handed_on
from tf_finetune.storage.files import replaced_folder, write_atomically
from tf_finetune.storage.manifests import MANIFEST, damaged_files, read_manifest, write_manifest
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASK, TASKS, problem_type, task_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from tf_finetune.models.classifier import Classifier

# What the method added, by itself; it is merged into the weights too.
ADDED_FILE = "added.safetensors"
# In config.json, with several labels a text: the probability above which a label applies.
THRESHOLD = "label_threshold"
# In config.json: what the logits were divided by after training; the head has it in it.
TEMPERATURE = "label_temperature"
# Of the encoder's config.json: what was true of its own file and its own head alone.
_NOT_KEPT = (
    *("_name_or_path", "transformers_version", "torch_dtype", "gradient_checkpointing"),
    *(TARGET_MEAN, TARGET_DEVIATION, THRESHOLD, TEMPERATURE, TASK, TEXT_POOLING),
)


def write_model_folder(
    folder: Path,
    classifier: "Classifier",
    tokenizer: "PreTrainedTokenizerFast",
    labels: LabelSpace,
    *,
    max_length: int,
) -> None:
    """Writes the model so that it appears by one rename, complete or not at all.

    The head of a regression answers in the units of its targets.

    Args:
        folder: `model/` of the run directory; replaced if it is there.
        classifier: The trained model.
        tokenizer: The tokenizer it was trained with.
        labels: What its outputs mean.
        max_length: Longest text in tokens that it was trained on.

    Raises:
        DiskFullError: There is no room for it.
    """
    tensors, added = _tensors(classifier), pytorch_tensors(added_values(classifier))
    merges = classifier.plan.method.merges
    needed = sum(value.nbytes for value in (*tensors.values(), *added.values()))
    with replaced_folder(folder, needed) as temporary:
        write_weights(temporary / (WEIGHTS_FILE if merges else UNMERGED_FILE), tensors)
        if merges and added:
            write_weights(temporary / ADDED_FILE, added)
        config = model_config(classifier, labels)
        if classifier.files.family.pooling == "last":
            # By this the library finds the last token in a row that is padded.
            config["pad_token_id"] = tokenizer.pad_token_id
        write_atomically(temporary / "config.json", json.dumps(config, indent=2) + "\n")
        _save_tokenizer(tokenizer, temporary, max_length)
        write_manifest(temporary)


def model_config(classifier: "Classifier", labels: LabelSpace) -> dict[str, Any]:
    """config.json of the trained model: the encoder's own, with the labels' names."""
    names, family = labels.output_names, classifier.files.family
    architecture, pooling = family.classifier_class.removeprefix("TF"), classifier.files.pooling
    architecture = architecture.replace("ForSequenceClassification", labels.library_class)
    encoder = {key: value for key, value in classifier.files.config.items() if key not in _NOT_KEPT}
    told: dict[str, float | str] = {}
    if classifier.scale is not None:
        told = {TARGET_MEAN: classifier.scale.mean, TARGET_DEVIATION: classifier.scale.deviation}
    elif labels.threshold is not None:
        told = {THRESHOLD: labels.threshold}
    if labels.temperature != 1:
        told[TEMPERATURE] = labels.temperature
    if labels.pooling is not None:
        told[TEXT_POOLING] = pooling
    elif pooling != family.pooling:
        # The library's classifier would put its pooler between, and the head read what it is not
        # trained for. Its bare encoder is as it was trained.
        architecture = architecture.replace("ForSequenceClassification", "Model")
        told[TEXT_POOLING] = pooling
    return {
        **encoder,
        "architectures": [architecture],
        **problem_type(labels),
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        **{key: getattr(classifier.wrapped.config, key) for key in family.dropout_keys},
        **told,
    }


def read_labels(config: Mapping[str, Any], where: str) -> LabelSpace:
    """The meaning of a model's outputs, from its config.json.

    Raises:
        UserError: The model was not written by this project, or its threshold is none.
    """
    task = task_of(config)
    names = config.get("id2label")
    if (
        task is None
        or not isinstance(names, dict)
        or set(names) != {str(index) for index in range(len(names))}
    ):
        raise UserError(
            f"{where}: problem_type: received {config.get('problem_type')!r}; accepted: "
            f"{', '.join(task.problem_type for task in TASKS.values())}, with id2label beside it"
        )
    threshold = config.get(THRESHOLD)
    is_one = isinstance(threshold, float) and 0.0 < threshold < 1.0
    if THRESHOLD in config and not is_one:
        raise UserError(
            f"{where}: {THRESHOLD}: received {threshold!r}; accepted: a number above 0, below 1"
        )
    in_order = tuple(str(names[str(index)]) for index in range(len(names)))
    labels = task.of_model(in_order, threshold)
    if TEMPERATURE not in config:
        return labels
    temperature = config[TEMPERATURE]
    if not isinstance(temperature, float) or not 0 < temperature < np.inf or not task.calibrates:
        raise UserError(
            f"{where}: {TEMPERATURE}: received {temperature!r} with {task.task}; accepted: a "
            "number above 0, of a task whose answers have probabilities"
        )
    return labels.calibrated_at(temperature)


def check_model_folder(folder: Path) -> EncoderFiles:
    """Holds every file of a model folder against its manifest.

    Returns:
        The folder as an encoder that carries its head.

    Raises:
        UserError: The folder is not complete, or a file is missing, damaged or a device; named.
    """
    try:
        listed = read_manifest(folder)
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no model here ({MANIFEST} is missing); accepted: a finished run"
        ) from None
    except ValueError:
        listed = {}
    problems = damaged_files(folder)
    weights = {WEIGHTS_FILE, UNMERGED_FILE} & listed.keys()
    if not problems and not (weights and "config.json" in listed):
        problems = [f"{folder / MANIFEST}: damaged"]
    if problems:
        raise UserError(problems, hint="Train again, or restore the folder from a copy.")
    check_kinds(folder)  # also what is not listed: tokenizers look for files of many names
    return EncoderFiles(str(folder), folder)


def _tensors(classifier: "Classifier") -> dict[str, np.ndarray]:
    def values() -> Iterator[tuple[Variable, np.ndarray]]:
        for variable, value in handed_on(classifier):
            if variable.part == "head" and classifier.scale is not None:
                value = classifier.scale.folded(variable, value)
            yield variable, value

    files, outputs = classifier.files, classifier.wrapped.config.num_labels
    zeros = files.family.zero_tensors(int(outputs), files.pooling)
    return pytorch_tensors(values()) | {
        name: np.zeros(shape, np.float32) for name, shape in zeros.items()
    }


def _save_tokenizer(tokenizer: "PreTrainedTokenizerFast", folder: Path, max_length: int) -> None:
    previous = tokenizer.model_max_length
    tokenizer.model_max_length = max_length
    try:
        tokenizer.save_pretrained(str(folder))
    finally:
        tokenizer.model_max_length = previous
