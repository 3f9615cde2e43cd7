"""What a model is: all that is known of it before TensorFlow is loaded and weights are read."""

from dataclasses import dataclass

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.pooling import pooling_problems
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.arithmetic import PlanCost, plan_cost
from tf_finetune.plans.freezing import FreezePlan, plan_freezing
from tf_finetune.plans.rate_factors import with_rate_factors
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import unnamed_labels


@dataclass(frozen=True)
class Spec:
    """A model to plan, to price or, with `building.build`, to make.

    Attributes:
        config: Sections `encoder`, `freeze`, `method` and `training` are used.
        files: The encoder, or the model of a run.
        labels: What the outputs mean.
        variables: All of them, in forward order.
        plan: Which of them train, and at which rate.
    """

    config: ExperimentConfig
    files: EncoderFiles
    labels: LabelSpace
    variables: tuple[Variable, ...]
    plan: FreezePlan

    def cost(self, batch_size: int, length: int) -> PlanCost:
        """What a step costs.

        Args:
            batch_size: Examples a step.
            length: Tokens an example, padding included.
        """
        return plan_cost(
            self.plan,
            self.variables,
            self.files.family,
            self.files.sizes,
            batch_size=batch_size,
            length=length,
            optimizer=self.config.training.optimizer,
            reads=self.labels.most_reads(length),
            pooling=self.files.pooling,
            recompute=self.config.training.recompute,
            averages=self.config.training.average_weights is not None,
            adversarial=self.config.training.adversarial > 0,
        )


def spec_of(
    config: ExperimentConfig,
    files: EncoderFiles,
    labels: LabelSpace | None = None,
    *,
    freeze: FreezeConfig | None = None,
    precision: str | None = None,
) -> Spec:
    """Lists the variables of a configuration's model and decides which of them train.

    Args:
        config: The configuration; its encoder is `files`.
        files: The encoder, or the model of a run.
        labels: What the outputs mean. None: not known yet, and no check depends on it.
        freeze: Another section `freeze` than the configuration's.
        precision: Another Keras precision policy than `training.precision`.

    Raises:
        UserError: The section `freeze` does not go with the encoder, see `plan_freezing`, or
            the encoder cannot be pooled so.
    """
    if freeze is not None:
        config = config.model_copy(update={"freeze": freeze})
    if precision is not None:
        training = config.training.model_copy(update={"precision": precision})
        config = config.model_copy(update={"training": training})
    labels = labels or unnamed_labels(Classes.task, 2)
    variables = files.variables(labels.num_outputs)
    problems = pooling_problems(files.pooling, files.family)
    try:
        plan = with_rate_factors(
            plan_freezing(config.freeze, config.method, variables), config.training
        )
    except UserError as error:
        raise UserError([*problems, *error.problems], error.hint) from None
    if problems:
        raise UserError(problems)
    return Spec(config, files, labels, plan.with_added(variables), plan)
