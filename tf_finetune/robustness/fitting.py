"""Whether checks go with a model and its data: labels that it has, columns that there are."""

from collections.abc import Sequence

from tf_finetune.robustness.checks import Check, Checks
from tf_finetune.sources.problems import Problems, show, show_names
from tf_finetune.tasks.labels import LabelSpace


def check_goes_with(
    checks: Checks,
    labels: LabelSpace,
    text_columns: Sequence[str],
    columns: Sequence[str],
    source: str,
) -> None:
    """Refuses checks that name what there is not, all of them at once.

    Args:
        checks: The checks.
        labels: Of the model.
        text_columns: Columns that the model reads.
        columns: Columns that the examples have.
        source: What these are called.

    Raises:
        UserError: A check names a label that the model has not, a column that it does not read,
            second texts where it reads none, or slices a column that the examples have not.
    """
    problems = Problems()
    for check in checks.checks:
        for field, received, accepted in _wrong(check, labels, text_columns):
            said = "nothing" if received is None else show(received)
            problems.add(
                f"{check.place or 'checks.yaml'}: {check.name}.{field}: received {said}; accepted: "
                f"{accepted}"
            )
    for column, place in zip(checks.slices, checks.places, strict=True):
        if column not in columns:
            problems.add(
                f"{place}: slices: received {show(column)}; accepted: a column of {source}: "
                f"{show_names(columns)}"
            )
    problems.check()


def _wrong(
    check: Check, labels: LabelSpace, text_columns: Sequence[str]
) -> list[tuple[str, object, str]]:
    wrong: list[tuple[str, object, str]] = []
    if check.column is not None and check.column not in text_columns:
        accepted = f"a column that the model reads: {show_names(text_columns)}"
        wrong.append(("column", check.column, accepted))
    if check.kind == "minimum_function":
        seconds = {second is not None for _, second in check.texts}
        pairs = len(text_columns) > 1
        if seconds != {pairs}:
            accepted = "lists of a text and a second text" if pairs else "single texts"
            wrong.append(("texts", "pairs" if True in seconds else "single texts", accepted))
        given = (check.label,) if isinstance(check.label, str) else check.label or ()
        if check.label is None or labels.answer_of(given) is None:
            wrong.append(("label", check.label, labels.accepted()))
    elif check.expect in ("more", "less"):
        label = check.label
        if isinstance(label, tuple) or labels.output_of(label) is None:
            accepted = labels.accepted() if labels.names else "nothing, as answers are numbers"
            wrong.append(("label", label, accepted))
    elif check.label is not None:
        wrong.append(("label", check.label, "nothing, with expect: less_sure"))
    return wrong
