"""The forms of records there are beside texts with a label, by the name that `data.task` takes."""

from collections.abc import Mapping

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.answers import Answers
from tf_finetune.sources.choices import MultipleChoice
from tf_finetune.sources.fields import to_record
from tf_finetune.sources.inference import Sample
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.record_form import ReadRow, RecordForm
from tf_finetune.sources.relations import Relations
from tf_finetune.sources.table import Table
from tf_finetune.sources.tagged import TaggedTexts

FORMS: Mapping[str, RecordForm] = {
    form.task: form for form in (TaggedTexts(), Answers(), MultipleChoice(), Relations())
}

# Options that only forms have, and those that only texts with a label have or some forms.
OPTIONS = ("span_columns", "choice_columns")
_OPTIONS_OF_LABELS = frozenset({"label_columns", "label_separator", "text_pair_column"})
KINDS = frozenset(kind for form in FORMS.values() for kind in form.kinds)


def row_reader(
    table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
) -> ReadRow:
    """What makes records of a table's rows, as `RecordForm.reader` says."""
    form = FORMS.get(config.task)
    if form is not None:
        return form.reader(table, config, problems, labelled=labelled)
    return lambda row: to_record(row, config, problems, labelled=labelled)


def recognised_columns(table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
    """Task and columns of a table that is certainly of one of the forms, by option; else {}.

    Nothing is recognised where options are set that mean nothing to the form.
    """
    for form in FORMS.values():
        found = form.recognised(table, sample, config)
        if found and not _foreign(config, form.options):
            return {"task": form.task, **found}
    return {}


def foreign_options(config: DataConfig) -> list[str]:
    """The options about columns that are set and mean nothing to the task that is set."""
    if config.task == "auto":
        return []
    form = FORMS.get(config.task)
    return _foreign(config, _OPTIONS_OF_LABELS if form is None else form.options)


def _foreign(config: DataConfig, own: frozenset[str]) -> list[str]:
    return [
        name
        for name in (*OPTIONS, *sorted(_OPTIONS_OF_LABELS))
        if getattr(config, name) is not None and name not in own
    ]
