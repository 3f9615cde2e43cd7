"""What `keras_model` is asked for, as the description of a model; nothing needs TensorFlow."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tf_finetune.api.options import configured
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.mistakes import shown
from tf_finetune.config.uses import Uses
from tf_finetune.encoders.locating import (
    EncoderFiles,
    configured_encoder,
    fitted_inputs,
    resolve_encoder,
)
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import matched_head
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Pretrained, check_new_trains, pretrained
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASKS, check_able, unnamed_labels

# The rest of `training` is what `compile` and `fit` are told.
USES = Uses(
    (
        *("encoder", "freeze", "method", "data.max_length", "training.seed"),
        *("training.precision", "training.recompute", "training.reinitialise_top"),
    ),
    not_these=("freeze.thaw",),
)
# Keywords of `keras_model` that are no options, or options with other rules here.
_OF_LABELS = ("num_labels", "label_names", "task", "targets")
_CALLER = "keras_model, which Keras' compile and fit train,"
_Found = TypeVar("_Found")


class Described(NamedTuple):
    """A model that can be made.

    Attributes:
        spec: What it is.
        weights: Where its values come from.
    """

    spec: Spec
    weights: Pretrained


def described(keywords: Mapping[str, Any]) -> Described:
    """The model that is asked for.

    Args:
        keywords: Those of `keras_model`.

    Raises:
        UserError: With all that is wrong of the keywords, or does not go with the encoder.
    """
    problems: list[str] = []

    def tried(make: Callable[[], _Found]) -> _Found | None:
        try:
            return make()
        except UserError as error:
            problems.extend(error.problems)
            return None

    labels = tried(lambda: _labels(**{name: keywords.get(name) for name in _OF_LABELS[:3]}))
    targets = tried(lambda: _targets(keywords.get("targets"), labels))
    config = tried(lambda: _config(keywords))
    files = tried(lambda: _files(keywords, config))
    if config is not None and files is not None:
        spec = tried(lambda: _checked(config, files, labels))
        if spec is not None and not problems:
            return Described(spec, _weights(spec, targets))
    raise UserError(list(dict.fromkeys(problems)))


def _config(keywords: Mapping[str, Any]) -> ExperimentConfig:
    given = {name: value for name, value in keywords.items() if name not in _OF_LABELS}
    if "dropout" in given:  # methods have one too, in their own section
        given["encoder.dropout"] = given.pop("dropout")
    config = configured(None, given, USES, _CALLER)
    problems = []
    if config.training.precision == "auto":
        problems.append(
            "training.precision: received auto, which times steps of a run; accepted: float32, "
            "mixed_bfloat16, mixed_float16"
        )
    if config.method.averages:
        problems.append(
            f"method.name: received {config.method.name}, which changes what it added after every "
            "update, as Keras' own fit does not; accepted: the other methods, or fine_tune"
        )
    if config.method.learns_from != "labels":
        problems.append(
            f"method.name: received {config.method.name}, whose steps compare texts, as Keras' own "
            "fit does not; accepted: the other methods, or fine_tune"
        )
    if problems:
        raise UserError(problems)
    return config


def _files(keywords: Mapping[str, Any], config: ExperimentConfig | None) -> EncoderFiles | None:
    """The encoder; where other options are wrong, that of the name alone."""
    if config is not None:
        return configured_encoder(config.encoder)
    name = keywords.get("encoder", "auto")
    return resolve_encoder(str(name)) if isinstance(name, str | Path) else None


def _checked(config: ExperimentConfig, files: EncoderFiles, labels: LabelSpace | None) -> Spec:
    problems: list[str] = []
    data, spec = config.data, None
    try:
        data = fitted_inputs(files, data)
    except UserError as error:
        problems += error.problems
    try:
        spec = spec_of(config.model_copy(update={"data": data}), files, labels)
        check_plan(spec)
    except UserError as error:
        problems += error.problems
    if problems or spec is None:
        raise UserError(problems)
    return spec


def _labels(num_labels: Any, label_names: Any, task: Any) -> LabelSpace:
    task = "single_label" if task is None else task
    kind = TASKS.get(task) if isinstance(task, str) else None
    if kind is None:
        raise UserError(f"task: received {shown(task)}; accepted: {', '.join(TASKS)}")
    check_able(kind.task, "keras", option="task")
    if not kind.fewest_names:
        given = {"num_labels": num_labels, "label_names": label_names}
        problems = [
            f"{name}: received {shown(value)} with task={task}; accepted: leave it out, because "
            "the model answers with one number"
            for name, value in given.items()
            if value is not None and (name, value) != ("num_labels", 1)
        ]
        if problems:
            raise UserError(problems)
        return kind()
    if label_names is None:
        if not _is_count(num_labels) or num_labels < kind.fewest_names:
            raise UserError(
                f"num_labels: received {shown(num_labels)}; accepted: {kind.fewest_names} or more, "
                "the number of labels, or label_names"
            )
        return unnamed_labels(task, int(num_labels))
    names = () if isinstance(label_names, str) else tuple(map(str, label_names))
    if len(set(names)) < max(len(names), kind.fewest_names):
        raise UserError(
            f"label_names: received {shown(label_names)}; accepted: a list of at least "
            f"{kind.fewest_names} names, all different"
        )
    if num_labels not in (None, len(names)):
        raise UserError(
            f"num_labels: received {shown(num_labels)} with {len(names)} label_names; accepted: "
            f"{len(names)}, or leave it out"
        )
    return kind(names)


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _targets(given: Any, labels: LabelSpace | None) -> np.ndarray | None:
    if given is None or labels is None:
        return None
    if labels.fewest_names:
        raise UserError(
            f"targets: received some with task={labels.task}; accepted: None, because only "
            "numbers have a scale"
        )
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise UserError("targets: received no list of finite numbers; accepted: one a text")
    return numbers


def _weights(spec: Spec, targets: np.ndarray | None) -> Pretrained:
    check_new_trains(spec)
    if targets is None:
        return Pretrained(matched_head(spec.files, spec.labels))
    return pretrained(spec.files, spec.labels, targets)
