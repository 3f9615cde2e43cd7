"""Holds options that stand in several sections against a model's plan, all at once."""

from tf_finetune.errors import UserError
from tf_finetune.models.phases import phase_problems
from tf_finetune.models.reinitialising import reinitialising_problems
from tf_finetune.models.spec import Spec


def check_plan(spec: Spec) -> None:
    """Refuses what the plan of a training cannot keep; no weights are read.

    Raises:
        UserError: `training.reinitialise_top` would let begin anew what does not train, or a depth
            of `freeze.thaw` would part layers that share their weights.
    """
    problems = [*reinitialising_problems(spec), *phase_problems(spec)]
    if problems:
        raise UserError(problems)
