"""The options that name columns: which there are, and whether they fit each other and the task."""

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fields import written_form
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_forms import FORMS, OPTIONS, foreign_options
from tf_finetune.sources.table import Table

COLUMN_OPTIONS = (
    "text_column",
    "text_pair_column",
    "label_column",
    "label_columns",
    "span_columns",
    "choice_columns",
)


def used_columns(config: DataConfig, *, labelled: bool) -> list[tuple[str, str]]:
    """The columns that the options name, each after its option."""
    form = FORMS.get(config.task)
    if form is not None:
        return form.used_columns(config, labelled=labelled)
    used = [("text_column", config.text_column), ("text_pair_column", config.text_pair_column)]
    if labelled:
        used.append(("label_column", config.label_column))
        used += [("label_columns", name) for name in config.label_columns or ()]
    return [(option, name) for option, name in used if name is not None]


def check_options(config: DataConfig, problems: Problems) -> None:
    """Notes options that contradict each other."""
    for option in foreign_options(config):
        problems.add(
            f"data.{option}: received {show(getattr(config, option))} with data.task: "
            f"{config.task}, which has no use for it; accepted: null"
        )
    separated = config.label_separator is not None and config.task not in FORMS
    if separated and written_form(config) in ("name", "number"):
        problems.add(
            f"data.label_separator: received {show(config.label_separator)} with data.task: "
            f"{config.task}; accepted: null, or data.task: multi_label"
        )
    uses: dict[str, str] = {}
    for option, name in used_columns(config, labelled=True):
        if name in uses:
            too = "there twice" if uses[name] == option else f"data.{uses[name]} too"
            problems.add(
                f"data.{option}: received {show(name)}, which is {too}; accepted: another column"
            )
        else:
            uses[name] = option
    if config.label_columns is not None:
        _check_label_columns(config, config.label_columns, problems)


def _check_label_columns(config: DataConfig, columns: tuple[str, ...], problems: Problems) -> None:
    """Notes options that cannot go with a column for each label."""
    for option in ("label_column", "label_separator"):
        value = getattr(config, option)
        if value is not None:
            problems.add(
                f"data.{option}: received {show(value)} beside data.label_columns; accepted: one "
                "of the two"
            )
    if written_form(config) == "number":
        problems.add(
            f"data.task: received {config.task} with data.label_columns, which hold 0 or 1; "
            "accepted: multi_label, single_label (exactly one 1 a row), auto"
        )
    names = config.label_names
    if names is not None and len(names) != len(columns):
        problems.add(
            f"data.label_names: received {len(names)} names for {len(columns)} data.label_columns; "
            "accepted: as many names as columns, in their order, or null"
        )


def of_other_task(table: Table, config: DataConfig) -> str:
    """The message about a source that is of a form of records, and options that are not."""
    given = {name: getattr(config, name) for name in (*OPTIONS, "label_columns", "label_separator")}
    set_ = [f"data.{name}: {show(value)}" for name, value in given.items() if value is not None]
    tasks = [form.task for form in FORMS.values() if table.kind in form.kinds] or [*FORMS]
    needs = "; ".join(f"{task} needs {FORMS[task].needs}" for task in tasks)
    return (
        f"{table.name}: is not read with {', '.join([f'data.task: {config.task}', *set_])}; "
        f"accepted: data.task: {' or '.join(tasks)} ({needs})"
    )
