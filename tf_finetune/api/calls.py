"""`search`, `fine_tune`, `load` and `plan`: the commands of these names, called from Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from tf_finetune.api.answer import Answer
from tf_finetune.api.calling import called
from tf_finetune.api.given_data import GivenData, given_data
from tf_finetune.api.model import Model
from tf_finetune.api.options import Config, configured
from tf_finetune.api.prices import Prices
from tf_finetune.api.run import Run
from tf_finetune.config import uses
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError, visible
from tf_finetune.searches.running.directory import FinishedSearch


def search(
    data: Any = None,
    *,
    text: str | None = None,
    label: Any = None,
    text_pair: Any = None,
    validation: Any = None,
    test: Any = None,
    config: Config = None,
    progress: bool = True,
    **options: Any,
) -> Answer:
    """Finds out how deep to fine-tune, by which method and at which rate, and trains that.

    Interrupting it (Ctrl-C, or a notebook's stop button) answers from what has been tried;
    SIGTERM leaves what the same call goes on from. A search that is finished gives its answer.

    Args:
        data: The training examples: a DataFrame, a path, a dictionary of columns or of splits, a
            list of dictionaries, `(texts, labels)`, a list of texts with a list as `label`, a
            `datasets.Dataset`, a `tf.data.Dataset`, or an Arrow table. None: as `config` says.
        text: Column of the texts; inferred where it is not given.
        label: Column of the labels, or a list of columns of 0 and 1; inferred likewise.
        text_pair: Column of the second texts of pairs.
        validation: Examples to compare on; a part of the training examples without.
        test: Examples to score the chosen model on, once.
        config: A YAML file of options, or its content as a dictionary.
        progress: Whether it tells what it does.
        **options: Further options by their names, such as `time_budget="20m"`, `depths=[0, 2]`,
            `encoder="bert-base-uncased"`, `folder="runs/mine"`; or a section with a dictionary,
            `training={"epochs": 2}`. docs/configuration.md lists all.

    Returns:
        The answer.

    Raises:
        UserError: Something is wrong with what was given: all of it, as problems.

    Example:
        >>> answer = tft.search(reviews, encoder=encoder, depths=[2, 3], max_trials=1)
        >>> answer.table["depth"].tolist()
        [1, 2, 3]
    """
    given = given_data(data, validation, test, text, label, text_pair)
    loaded = _configured(config, given, options, uses.SEARCH, "search")
    if given.held and loaded.search.workers > 1:
        raise UserError(
            f"search.workers: received {loaded.search.workers} with examples in memory, which "
            "other processes do not see; accepted: 1, or a file of examples"
        )

    from tf_finetune.jobs.search import search as run_search

    with called(progress) as console:
        try:
            path = run_search(loaded, console).path
        except FinishedSearch as found:
            path = found.path
            line = f"{path}: this search is finished; overwrite=True searches anew"
            console.print(Text(visible(line)), soft_wrap=True)
    return Answer(path, given.held)


def fine_tune(
    data: Any = None,
    *,
    text: str | None = None,
    label: Any = None,
    text_pair: Any = None,
    validation: Any = None,
    test: Any = None,
    config: Config = None,
    progress: bool = True,
    **options: Any,
) -> Run:
    """Fine-tunes an encoder at a depth, scores it and writes its report.

    What is interrupted goes on from its last step when it is called again with the same arguments.

    Args:
        data: As for `search`.
        text: As for `search`.
        label: As for `search`.
        text_pair: As for `search`.
        validation: As for `search`.
        test: As for `search`.
        config: As for `search`.
        progress: As for `search`.
        **options: As for `search`, such as `depth=4`, `learning_rate=3e-4`, `method="lora"`.

    Returns:
        The run.

    Raises:
        UserError: As for `search`.

    Example:
        >>> run = tft.fine_tune(reviews, encoder=encoder, depth=2, learning_rate=1e-3, epochs=2)
        >>> print(run)
        depth 2: test accuracy ...
    """
    given = given_data(data, validation, test, text, label, text_pair)
    loaded = _configured(config, given, options, uses.TRAIN, "fine_tune")

    from tf_finetune.jobs.train import train

    with called(progress) as console:
        directory = train(loaded, console)
    return Run(directory.path, given.held)


def load(folder: "str | Path") -> Model:
    """Loads the model of a finished run or search, to answer with it.

    Args:
        folder: Of the run.

    Raises:
        UserError: There is no finished run, or a file of its model is missing or damaged.

    Example:
        >>> model = tft.load(run.path)
        >>> model.labels
        ('neg', 'pos')
    """
    return Model(folder).load()


def plan(*, num_labels: int = 2, config: Config = None, **options: Any) -> Prices:
    """What would train, and what a step costs at every depth; no weights are loaded.

    Args:
        num_labels: Outputs of the head.
        config: As for `search`.
        **options: As for `search`, such as `encoder="google-bert/bert-base-uncased"`, `depth=4`.

    Returns:
        The prices.

    Raises:
        UserError: An option is wrong, or there is no such encoder.

    Example:
        >>> tft.plan(encoder=encoder, depth=1).table["depth"].tolist()
        [0, 1, 2, 3]
    """
    if isinstance(num_labels, bool) or not isinstance(num_labels, int) or num_labels < 1:
        raise UserError(f"num_labels: received {num_labels!r}; accepted: a whole number above 0")

    from tf_finetune.jobs.plan import plan as price

    return Prices(price(configured(config, options, uses.PLAN, "plan"), num_labels))


def _configured(
    config: Config, given: GivenData, options: Mapping[str, Any], used: uses.Uses, caller: str
) -> ExperimentConfig:
    """The configuration of a call that learns from examples."""
    options = {**{f"data.{name}": value for name, value in given.options.items()}, **options}
    loaded = configured(config, options, used, caller)
    if loaded.data.train is None:
        raise UserError(
            f"{caller}: received no examples; accepted: data, or a config with data.train"
        )
    return loaded
