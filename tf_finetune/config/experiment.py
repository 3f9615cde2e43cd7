"""Everything one job needs: the sections together, and the checks across them."""

from typing import Annotated

from pydantic import model_validator

from tf_finetune.methods.full import Full
from tf_finetune.methods.method import Method
from tf_finetune.methods.table import METHODS
from tf_finetune.options.cache import CacheConfig
from tf_finetune.options.data import DataConfig
from tf_finetune.options.encoder import EncoderConfig
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.marks import Mark
from tf_finetune.options.one_of import look_up
from tf_finetune.options.run import RunConfig
from tf_finetune.options.search import SearchConfig
from tf_finetune.options.section import Section
from tf_finetune.options.section_of import SectionOf
from tf_finetune.options.setting import take_classes
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.metrics import Monitors
from tf_finetune.tasks.table import TASKS

METHOD = SectionOf(
    METHODS,
    usual="full",
    description="what trains above the frozen depth, beside the head",
    meaning=lambda method: f"trains {method.words}",
)
take_classes("method", METHOD)
look_up("task", TASKS)
look_up("score", Monitors())


class ExperimentConfig(Section):
    """Everything one job needs; what `config.yaml` of a run directory holds."""

    data: DataConfig = DataConfig()
    encoder: EncoderConfig = EncoderConfig()
    freeze: FreezeConfig = FreezeConfig()
    method: Annotated[Method, METHOD, Mark.STEP] = Full()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    cache: CacheConfig = CacheConfig()
    search: SearchConfig = SearchConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _check_multi_worker(self) -> "ExperimentConfig":
        mode, training = self.cache.mode, self.training
        several = training.strategy == "multi_worker"
        if several and training.padding == "packed" and mode in ("memory", "disk"):
            raise ValueError(
                f"cache.mode: received {mode} with training.strategy=multi_worker and "
                "training.padding=packed; accepted: off, or auto, which is off there (a packed "
                "row holds texts whose states several processes keep)"
            )
        if several and training.precision == "auto":
            raise ValueError(
                "training.precision: received auto with training.strategy=multi_worker; accepted: "
                "float32, mixed_bfloat16 or mixed_float16 (auto times steps of one process)"
            )
        return self

    @model_validator(mode="after")
    def _check_folds(self) -> "ExperimentConfig":
        if self.data.folds is None:
            return self
        problems = []
        with_folds = f"with data.folds={self.data.folds}"
        if self.training.strategy == "multi_worker":
            problems.append(
                f"training.strategy: received multi_worker {with_folds}; accepted: auto, cpu, gpu, "
                "mirrored or tpu (folds are for few examples, which one process trains on)"
            )
        if self.search.median_stopping:
            problems.append(
                f"search.median_stopping: received true {with_folds}; accepted: false (a trial "
                "would be given up for the score of a single small fold)"
            )
        if self.search.train_on_validation:
            problems.append(
                f"search.train_on_validation: received true {with_folds}, which make no "
                "validation examples; accepted: false (the final model is trained on all training "
                "examples anyway)"
            )
        if self.search.ensemble:
            problems.append(
                f"search.ensemble: received true {with_folds}; accepted: false (a trial's models "
                "each lack a fold of the examples, and none of them is kept)"
            )
        if self.search.learning_curve:
            problems.append(
                f"search.learning_curve: received true {with_folds}; accepted: false (parts of the "
                "examples are compared on one validation set)"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _check_frozen_layers_are_used(self) -> "ExperimentConfig":
        layers, depth = self.encoder.layers, self.freeze.depth
        if layers is not None and layers < depth:
            raise ValueError(
                f"encoder.layers: received {layers} with freeze.depth={depth}; accepted: at least "
                f"{depth}, or a freeze.depth of at most {layers}"
            )
        return self

    @model_validator(mode="after")
    def _check_phases(self) -> "ExperimentConfig":
        thaw, training = self.freeze.thaw, self.training
        problems = [
            f"freeze.thaw[{index}].from_epoch: received {phase.from_epoch} with "
            f"training.epochs={training.epochs}; accepted: 2 to {training.epochs}, or more epochs"
            for index, phase in enumerate(thaw)
            if phase.from_epoch > training.epochs
        ]
        if thaw and training.solver == "exact":
            problems.append(
                f"freeze.thaw: received {len(thaw)} phase(s) with training.solver=exact, which "
                "solves the head alone and has no epochs; accepted: [], or training.solver=steps"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _check_batch_divides(self) -> "ExperimentConfig":
        training = self.training
        if training.batch_size % training.accumulation_steps:
            raise ValueError(
                "training.accumulation_steps: received "
                f"{training.accumulation_steps}, which does not divide training.batch_size "
                f"{training.batch_size}; accepted: a divisor of the batch size"
            )
        return self
