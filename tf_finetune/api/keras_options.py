"""What `keras_model` is asked for, as the description of a model; nothing needs TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from pydantic import ValidationError

from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.mistakes import as_user_error, shown, validation_mistakes
from tf_finetune.config.nearest import nearest_options
from tf_finetune.config.single_values import with_lists
from tf_finetune.encoders.locating import EncoderFiles, fitted_inputs, resolve_encoder
from tf_finetune.errors import UserError
from tf_finetune.models.head_start import matched_head
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Pretrained, check_new_trains, pretrained
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASKS, unnamed_labels

# Keywords beside those of the signature, with their sections. What else `training` holds is said
# to `compile` and `fit`.
FURTHER = {
    "adapter": "encoder",
    "pooling": "encoder",
    "layers": "encoder",
    "dropout": "encoder",
    "embeddings": "freeze",
    "rules": "freeze",
    "max_length": "data",
    "precision": "training",
    "recompute": "training",
    "reinitialise_top": "training",
}
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Asked:
    """The keywords of `keras_model`; see there.

    Attributes:
        encoder: `encoder.name`.
        depth: `freeze.depth`.
        num_labels: Number of outputs; None: as many as names.
        label_names: What the outputs are called; None: not known.
        task: `data.task`.
        method: `method.name`, or the section `method`.
        targets: Of a regression, the training targets; None: not known.
        seed: `training.seed`.
        options: Those in `FURTHER`.
    """

    encoder: str | Path = "auto"
    depth: int = 0
    num_labels: int | None = None
    label_names: Sequence[str] | None = None
    task: str = "single_label"
    method: str | Mapping[str, Any] = "full"
    targets: Any = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by(cls, keywords: Mapping[str, Any]) -> "Asked":
        """What keywords ask for."""
        own = {one.name for one in fields(cls)} - {"options"}
        options = {name: value for name, value in keywords.items() if name not in own}
        return cls(**{n: v for n, v in keywords.items() if n in own}, options=options)

    def keywords(self) -> dict[str, Any]:
        """The keywords but for the targets, in values that JSON has."""
        method, names = self.method, self.label_names
        return {
            "encoder": str(self.encoder),
            "depth": self.depth,
            "num_labels": self.num_labels,
            "label_names": None if names is None else list(map(str, names)),
            "task": self.task,
            "method": method if isinstance(method, str) else dict(method),
            "seed": self.seed,
            **self.options,
        }


class Described(NamedTuple):
    """A model that can be made.

    Attributes:
        spec: What it is.
        weights: Where its values come from.
    """

    spec: Spec
    weights: Pretrained


def described(asked: Asked) -> Described:
    """The model that is asked for.

    Raises:
        UserError: With all that is wrong of the keywords, or does not go with the encoder.
    """
    problems = _strange_keywords(asked.options)

    def tried(make: Callable[[], _Found]) -> _Found | None:
        try:
            return make()
        except UserError as error:
            problems.extend(error.problems)
            return None

    labels = tried(lambda: _labels(asked))
    targets = tried(lambda: _targets(asked.targets, labels))
    config = tried(lambda: _config(asked))
    files = tried(lambda: _files(asked, config))
    if config is not None and files is not None:
        spec = tried(lambda: _checked(config, files, labels))
        if spec is not None and not problems:
            return Described(spec, _weights(spec, targets))
    raise UserError(list(dict.fromkeys(problems)))


def _strange_keywords(options: Mapping[str, Any]) -> list[str]:
    problems = []
    accepted = ", ".join(FURTHER)
    for name in options.keys() - FURTHER.keys():
        same = [one for one in option_names() if one.endswith(f".{name}")]
        nearest = [n for one in nearest_options(name) if (n := one.split(".")[-1]) in FURTHER]
        if same:
            why = (
                f"which says how {' and '.join(same)} goes, and that is compile's and fit's to say"
            )
        else:
            why = f"an unknown keyword{f'; nearest: {nearest[0]}' if nearest else ''}"
        problems.append(f"{name}: received {shown(options[name])}, {why}; accepted: {accepted}")
    return problems


def _labels(asked: Asked) -> LabelSpace:
    kind = TASKS.get(asked.task) if isinstance(asked.task, str) else None
    if kind is None:
        raise UserError(f"task: received {shown(asked.task)}; accepted: {', '.join(TASKS)}")
    names, count = asked.label_names, asked.num_labels
    if isinstance(names, str):
        raise UserError(f"label_names: received {shown(names)}; accepted: a list of names")
    fewest = kind.fewest_names
    if not fewest:
        if names is not None or count not in (None, 1):
            what = f"num_labels={shown(count)}" if names is None else f"label_names={list(names)}"
            raise UserError(
                f"{what.replace('=', ': received ', 1)} with task={asked.task}; accepted: leave it "
                "out, because the model answers with one number"
            )
        return kind()
    if names is None:
        if not isinstance(count, int) or isinstance(count, bool) or count < fewest:
            raise UserError(
                f"num_labels: received {shown(count)}; accepted: {fewest} or more, the number of "
                "labels, or label_names"
            )
        return unnamed_labels(asked.task, count)
    names = tuple(map(str, names))
    if len(set(names)) < max(len(names), fewest):
        raise UserError(
            f"label_names: received {shown(list(names))}; accepted: at least {fewest} names, all "
            "different"
        )
    if count is not None and count != len(names):
        raise UserError(
            f"num_labels: received {shown(count)} with {len(names)} label_names; accepted: "
            f"{len(names)}, or leave it out"
        )
    return kind(names)


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


def _config(asked: Asked) -> ExperimentConfig:
    method = {"name": asked.method} if isinstance(asked.method, str) else asked.method
    values: dict[str, Any] = {
        "data": {},
        "encoder": {"name": str(asked.encoder)},
        "freeze": {"depth": asked.depth},
        "method": dict(method) if isinstance(method, Mapping) else method,
        "training": {"seed": asked.seed},
    }
    for name, section in FURTHER.items():
        if name in asked.options:
            values[section][name] = asked.options[name]
    try:
        config = ExperimentConfig.model_validate(with_lists(values))
    except ValidationError as error:
        raise as_user_error(validation_mistakes(error, values, {})) from None
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
    if problems:
        raise UserError(problems)
    return config


def _files(asked: Asked, config: ExperimentConfig | None) -> EncoderFiles:
    if config is None:
        return resolve_encoder(str(asked.encoder))
    section = config.encoder
    return resolve_encoder(section.name, section.pooling, section.layers, section.adapter)


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
