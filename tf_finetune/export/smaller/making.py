"""Makes a smaller model of a trained one: cut, trained for a moment, measured."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError
from tf_finetune.evaluation.depth_profile import probe_logits
from tf_finetune.export.examples import load_measured_split
from tf_finetune.export.smaller.comparison import SizeComparison, compare, render_comparison
from tf_finetune.export.smaller.cutting import Heads, write_cut
from tf_finetune.export.smaller.depth_choice import DepthChoice, choose_depth
from tf_finetune.export.smaller.head_importance import head_importance, least_important
from tf_finetune.export.smaller.request import AUTO, SmallerRequest
from tf_finetune.export.smaller.silent_heads import remove_silent_heads
from tf_finetune.export.smaller.student import student_config, train_student
from tf_finetune.methods.full import Full
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.runs.model_folder import check_model_folder, write_model_folder
from tf_finetune.runs.scoring import split_logits
from tf_finetune.runs.trained_model import TrainedModel, load_trained_model
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.strategy import without_strategy


@dataclass(frozen=True)
class SmallerModel:
    """A smaller model on the disk, and what is known of it.

    Attributes:
        files: Its folder.
        original_logits: What the original answers to the measured split, float32 [n, labels].
        request: What was asked for.
        layers: Encoder layers before and after.
        heads: Attention heads that were removed, by layer.
        learning_rate: Of its training, None if it was not trained.
        choice: Why this many layers, where the probes chose.
        comparison: What it was measured to cost and give.
        config: The run's configuration to load it with: the layers that were frozen may be gone.
    """

    files: EncoderFiles
    original_logits: np.ndarray
    request: SmallerRequest
    layers: tuple[int, int]
    heads: Heads
    learning_rate: float | None
    choice: DepthChoice | None
    comparison: SizeComparison
    config: ExperimentConfig

    def sentence(self) -> str:
        """What was done to the original."""
        before, after = self.layers
        done = []
        if self.request.distil:
            done.append(f"distilled into its first {after} of {before} layers")
        elif after < before:
            done.append(f"its top {before - after} of {before} layers left out")
        if self.heads:
            count = sum(len(heads) for heads in self.heads.values())
            done.append(f"{count} attention head{'s' if count > 1 else ''} removed")
        if self.learning_rate is not None:
            above = "pooler and head" if self.files.has_pooler else "the head"
            what = "all but the embeddings" if self.request.distil else above
            epochs = "1 epoch" if self.request.epochs == 1 else f"{self.request.epochs} epochs"
            done.append(f"{what} trained for {epochs} at rate {self.learning_rate:g}")
        return ", ".join(done)

    def to_dict(self) -> dict[str, Any]:
        """What was done and measured, for JSON."""
        return {
            "done": self.sentence(),
            "request": asdict(self.request),
            "layers_before": self.layers[0],
            "layers": self.layers[1],
            "removed_heads": {str(layer): list(heads) for layer, heads in self.heads.items()},
            "learning_rate": self.learning_rate,
            "probes": None if self.choice is None else asdict(self.choice),
            "comparison": self.comparison.to_dict(),
        }


def make_smaller(
    request: SmallerRequest,
    files: EncoderFiles,
    labels: LabelSpace,
    config: ExperimentConfig,
    source: str | None,
    folder: Path,
    console: Console,
) -> SmallerModel | None:
    """Makes and measures a smaller model; the original stays as it is.

    Args:
        request: What is wanted.
        files: The checked model folder of the run.
        labels: What the outputs mean.
        config: The run's configuration; its data are trained on.
        source: Labelled examples to measure on; None takes the run's test split.
        folder: An empty folder for the smaller model.
        console: Where progress and figures are shown.

    Returns:
        The smaller model, or None if the probes found no layer idle and nothing else was wanted.

    Raises:
        UserError: The request does not fit the model, or the data are wrong or gone.
    """
    request.check(files.num_layers, files.sizes.heads, labels.task, files.sizes.groups)
    tokenizer = load_tokenizer(files)
    splits, _ = load_splits(config.data, tokenizer)
    split = load_measured_split(config, source, tokenizer, labels)
    original = load_trained_model(files, labels, config, without_strategy())
    classifier = original.classifier
    choice, layers = None, request.distil or files.num_layers
    if request.drop_layers == AUTO:
        choice = _choose(original, splits, split, config, console)
        layers = choice.depth
    elif request.drop_layers:
        layers -= int(request.drop_layers)
    heads = _choose_heads(request, classifier, splits, layers, config, console)
    if layers == files.num_layers and not heads:
        return None
    smaller = write_cut(files, folder, layers, heads)
    rate = None
    if request.epochs:
        training = student_config(request, config)
        rate = training.training.learning_rate
        student = train_student(smaller, request, training, splits, classifier, console)
        write_model_folder(folder, student, tokenizer, labels, max_length=config.data.max_length)
        smaller = check_model_folder(folder)
    answers = split_logits(original.model, split, config, without_strategy())
    of_smaller = config.model_copy(update={"freeze": FreezeConfig(), "method": Full()})
    comparison = _measure(classifier, answers, smaller, split, labels, of_smaller)
    render_comparison(console, comparison)
    return SmallerModel(
        files=smaller,
        original_logits=answers,
        request=request,
        layers=(files.num_layers, layers),
        heads=heads,
        learning_rate=rate,
        choice=choice,
        comparison=comparison,
        config=of_smaller,
    )


def _choose(
    original: TrainedModel,
    splits: Splits,
    measured: Split,
    config: ExperimentConfig,
    console: Console,
) -> DepthChoice:
    if splits.train is None or splits.validation is None:
        raise UserError(
            "--drop-layers: received auto for a run without validation split, on which probes are "
            "scored; accepted: a number of layers"
        )
    if measured.name == "validation":
        raise UserError(
            "--drop-layers: received auto for a run without test split; what chooses the layers "
            "cannot say what they are worth; accepted: a number of layers, or give FILE"
        )
    with console.status("probing every layer"):
        answers = probe_logits(
            original.classifier,
            splits.train,
            splits.validation,
            splits.labels,
            _shape(config),
            read=True,
        )
    # Nothing is known after no layer: the first token is the same in every text.
    choice = choose_depth(splits.labels, splits.validation.labels, answers[1:], config.evaluation)
    console.print(choice.sentence(), highlight=False)
    return choice


def _choose_heads(
    request: SmallerRequest,
    classifier: Classifier,
    splits: Splits,
    layers: int,
    config: ExperimentConfig,
    console: Console,
) -> Heads:
    if not request.prune_heads:
        return {}
    # Again, now that the probes have said how many layers stay.
    number = classifier.files.sizes.heads
    replace(request, drop_layers=classifier.num_layers - layers).check(
        classifier.num_layers, number, splits.labels.task
    )
    with console.status("measuring what each attention head is worth"):
        importance = head_importance(classifier, splits.train, splits.labels.task, _shape(config))
    return least_important(importance[:layers], request.heads_of(layers * number))


def _measure(
    original: Classifier,
    answers: np.ndarray,
    smaller: EncoderFiles,
    split: Split,
    labels: LabelSpace,
    config: ExperimentConfig,
) -> SizeComparison:
    loaded = load_trained_model(smaller, labels, config, without_strategy()).model
    remove_silent_heads(loaded.classifier)
    logits = split_logits(loaded, split, config, without_strategy())
    return compare(original, loaded.classifier, answers, logits, split, labels, config.evaluation)


def _shape(config: ExperimentConfig) -> BatchShape:
    return BatchShape(config.evaluation.batch_size, max_length=config.data.max_length)
