"""The rules of the race of a search job."""

from functools import partial

from tf_finetune.methods.settings import setting_of
from tf_finetune.plans.rates import steps_of_one_reading, usual_rate
from tf_finetune.results.tolerance import acceptable_loss, has_range
from tf_finetune.results.trial import Cell
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.leading.race.candidates import Usual
from tf_finetune.searches.leading.race.resampling import resampler
from tf_finetune.searches.leading.race.standing import RaceRules


def race_rules(job: SearchJob) -> RaceRules:
    """How the race of a job is led."""
    search, metric = job.config.search, job.metric
    num_layers = job.files.num_layers
    steps = steps_of_one_reading(job.config, len(job.splits.train))

    def of_cell(cell: Cell) -> float:
        method = job.config.method if cell.method is None else setting_of(cell.method)
        return usual_rate(job.config.data.task, method, cell.frozen_depth, num_layers, steps)

    return RaceRules(
        epochs=job.config.training.epochs,
        higher_is_better=job.higher_is_better,
        tolerance=partial(acceptable_loss, metric, given=search.tolerance),
        unit=lambda best: 1.0 if has_range(metric) else best,
        confidence=search.confidence,
        widen_edges=search.widen_edges,
        usual=Usual(num_layers, of_cell),
        resampled=resampler(job.splits.labels, metric, higher_is_better=job.higher_is_better),
    )
