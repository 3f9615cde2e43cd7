"""What a method added to an encoder, by itself, as a folder of PyTorch's library PEFT.

The library loads it beside the encoder as it was published. Head and pooler are in it whole, as
`modules_to_save`. Where the head reads something else than the library's own classifier does, the
adapter is of the bare encoder, the head a file beside it, and the card has the code.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.checkpoints.checkpoint import Checkpoint
from tf_finetune.encoders.checkpoints.opening import WEIGHTS_FILE
from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.checkpoints.writing import pytorch_tensors, write_weights
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.encoders.peft.names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, HEAD_WEIGHTS, PREFIX
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.export.model_card import CARD, read_record, write_model_card
from tf_finetune.methods.peft_adapter import PeftAdapter, module_of
from tf_finetune.models.merging import by_matrix, merged
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.runs.model_folder import ADDED_FILE
from tf_finetune.storage.files import write_atomically
from tf_finetune.storage.manifests import MANIFEST
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.tasks.labels import LabelSpace

_ABOVE = ("pooler", "head")
# What PEFT calls the library's classes; it has no name for others, and needs none.
_TASK_TYPES = {"ForSequenceClassification": "SEQ_CLS", "ForTokenClassification": "TOKEN_CLS"}
_MOST_SHOWN = 3

Added = Mapping[Variable, Mapping[str, np.ndarray]]


def write_peft_folder(
    folder: Path,
    run: RunDirectory,
    files: EncoderFiles,
    labels: LabelSpace,
    config: ExperimentConfig,
) -> None:
    """Writes adapter, configuration, tokenizer and a card.

    Args:
        folder: An empty folder.
        run: The finished run.
        files: Its model folder, checked.
        labels: What the outputs mean.
        config: The run's configuration.

    Raises:
        UserError: Nothing was added, something else of the encoder is not as it was published, or
            the encoder or a file of the run is missing or damaged.
    """
    record = read_record(run, config)
    # The model has the layers that are used, and no others.
    used = record.config.encoder.model_copy(update={"layers": None})
    spec = spec_of(record.config.model_copy(update={"encoder": used}), files, labels)
    encoder = record.config.encoder
    write_adapter(folder, spec, resolve_encoder(encoder.name, encoder.pooling, encoder.layers))
    not_copied = (MANIFEST, ADDED_FILE, WEIGHTS_FILE)
    for path in files.path.iterdir():
        if path.is_file() and path.name not in not_copied:
            shutil.copyfile(path, folder / path.name)
    length = record.config.data.max_length
    write_model_card(folder / CARD, record, files.config, length, is_adapter=True)


def write_adapter(folder: Path, spec: Spec, base: EncoderFiles) -> None:
    """Writes the adapter alone: what PEFT reads, and the head.

    Args:
        folder: It goes there.
        spec: Of the trained model, whose files are a model folder of a run.
        base: The encoder that was trained.

    Raises:
        UserError: As for the whole folder.
    """
    _check_plan(spec)
    added = _added(spec)
    _check_base(base, spec, added)
    adapter = spec.plan.method.peft_adapter(added)
    is_whole = _is_whole(spec)
    content = _adapter_config(adapter, spec, base, is_whole=is_whole)
    write_atomically(folder / ADAPTER_CONFIG, json.dumps(content, indent=2) + "\n")
    tensors = {
        f"{PREFIX}{_module(spec, matrix)}.{name}": np.ascontiguousarray(value)
        for matrix, values in adapter.tensors.items()
        for name, value in values.items()
    }
    with spec.files.checkpoint.reading() as read:
        above = pytorch_tensors((v, read(v)) for v in spec.variables if v.part in _ABOVE)
    if is_whole:
        above |= _zeros(spec)
        tensors |= {f"{PREFIX}{name}": value for name, value in above.items()}
    else:
        write_weights(folder / HEAD_WEIGHTS, above)
    write_weights(folder / ADAPTER_WEIGHTS, tensors)


def _is_whole(spec: Spec) -> bool:
    """Whether one of the library's own classes has this head."""
    return spec.files.pooling == (spec.labels.pooling or spec.files.family.pooling)


def _zeros(spec: Spec) -> dict[str, np.ndarray]:
    """What the library's head has beside ours."""
    files = spec.files
    shapes = files.family.zero_tensors(spec.labels.num_outputs, files.pooling)
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def _check_plan(spec: Spec) -> None:
    """Refuses what trained more of the encoder's layers than what was added, or added nothing."""
    trained = [
        v.path
        for v in spec.variables
        if v.path in spec.plan.trainable_paths and v.part not in _ABOVE and v.beside is None
    ]
    if trained:
        raise UserError(
            f"--to: received peft, which keeps what was added, head and pooler; freeze.rules of "
            f"this run trained {_shown(trained)} of the encoder, too; accepted: --to huggingface"
        )
    if not spec.plan.added:
        raise UserError(
            f"--to: received peft, and this run added nothing to a layer (freeze.depth="
            f"{spec.config.freeze.depth} of {spec.files.num_layers}); accepted: --to huggingface"
        )


def _added(spec: Spec) -> Added:
    """What the run's method added, from the file beside its model."""
    checkpoint = Checkpoint(SafetensorsFile(spec.files.path / ADDED_FILE), spec.files.family)
    with checkpoint.reading() as read:
        return by_matrix((variable, read(variable)) for variable in spec.plan.added)


def _check_base(base: EncoderFiles, spec: Spec, added: Added) -> None:
    """Holds the encoder, with what was added, against the model's own weights.

    The run may have begun with other layers than the encoder's, or the encoder may have changed.
    """
    ours = spec.files.checkpoint
    changed = []
    with base.checkpoint.reading() as of_base, ours.reading() as of_model:

        def original(variable: Variable) -> np.ndarray:
            if not base.checkpoint.has(variable):
                raise UserError(f"{base.checkpoint.where(variable)}: missing, or of another shape")
            return of_base(variable)

        plain = dict(merged(spec.plan.method, spec.variables, added, original))
        for variable in spec.variables:
            if variable.part in _ABOVE or variable.beside is not None:
                continue
            value = of_model(variable)
            expected = plain.get(variable.path)
            expected = original(variable) if expected is None else expected
            if not np.allclose(value, expected, rtol=0, atol=1e-6 * np.abs(expected).max()):
                changed.append(variable.path)
    if changed:
        raise UserError(
            f"--to: received peft, which stands on the encoder as it was published, {base.name}; "
            f"in this run {_shown(changed)} began with other values; accepted: --to huggingface"
        )


def _adapter_config(
    adapter: PeftAdapter, spec: Spec, base: EncoderFiles, *, is_whole: bool
) -> dict[str, Any]:
    """adapter_config.json; modules by their whole names, so that no other one is meant too.

    BERT's `output.dense`, say, would mean that of attention as well.
    """
    is_name = base.path.is_dir() and not Path(base.name).expanduser().exists()
    on_hub = is_name and not base.name.startswith("package:")
    lists = {"target_modules": list(adapter.tensors), **adapter.modules}
    return {
        **adapter.config,
        **{key: [_module(spec, matrix) for matrix in found] for key, found in lists.items()},
        **{
            key: {_module(spec, matrix): value for matrix, value in found.items()}
            for key, found in adapter.patterns.items()
        },
        "task_type": (
            _TASK_TYPES.get(spec.labels.library_class) if is_whole else "FEATURE_EXTRACTION"
        ),
        "base_model_name_or_path": base.name if on_hub else str(base.path.resolve()),
        "inference_mode": True,
        "modules_to_save": _modules_to_save(spec.variables) if is_whole else None,
        "fan_in_fan_out": not all(matrix.transposed for matrix in adapter.tensors),
    }


def _modules_to_save(variables: Sequence[Variable]) -> list[str]:
    """The module of the library's model that answers, and the pooler where that is another."""
    head = next(v.tensor.split(".")[0] for v in variables if v.part == "head")
    poolers = [module_of(v) for v in variables if v.part == "pooler"]
    return list(dict.fromkeys([head, *(p for p in poolers if not p.startswith(f"{head}."))]))


def _module(spec: Spec, matrix: Variable) -> str:
    """What PEFT calls a matrix' module in the model it is given: a classifier, or bare encoder."""
    family, module = spec.files.family, module_of(matrix)
    if _is_whole(spec):
        return module
    return module.removeprefix(f"{family.backbone}.")


def _shown(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_SHOWN
    return ", ".join(paths[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
