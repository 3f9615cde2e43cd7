"""The JSON export of Label Studio: tasks with annotations, as a table of texts and marked spans."""

from collections.abc import Generator, Mapping
from dataclasses import replace

from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.table import Row, Table

COLUMNS = ("text", "label")
SEVERAL = "texts with several annotations, of which the first was taken"
_SPANS = ("labels", "hypertextlabels")


def is_label_studio(values: Mapping[str, object]) -> bool:
    """Whether an object is a task: the data, and what each annotator made of them."""
    return isinstance(values.get("data"), dict) and isinstance(values.get("annotations"), list)


def as_texts(table: Table) -> Table:
    """The texts of a table of tasks, and lists of their spans; without, if nobody annotated one."""

    def rows(problems: Problems) -> Generator[Row, None, None]:
        for row in table.rows(problems):
            values: dict[str, object] = {"text": _text(row.values.get("data"))}
            annotations = row.values.get("annotations")
            found = _finished(annotations if isinstance(annotations, list) else [])
            if len(found) > 1:
                problems.note(SEVERAL, f"row {row.number}")
            if found:
                values["label"] = _spans(found[0], row, problems)
            yield row._replace(values=values)

    return replace(table, columns=COLUMNS, rows=rows)


def _text(data: object) -> object:
    """The text among the data of a task: under its usual name, or the only one."""
    if not isinstance(data, dict) or "text" in data:
        return data["text"] if isinstance(data, dict) else data
    texts = [value for value in data.values() if isinstance(value, str)]
    return texts[0] if len(texts) == 1 else data


def _finished(annotations: list[object]) -> list[dict[str, object]]:
    return [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]


def _spans(annotation: dict[str, object], row: Row, problems: Problems) -> list[object]:
    """The marked spans of an annotation; anything else that was annotated is a problem."""
    result = annotation.get("result")
    spans: list[object] = []
    for one in result if isinstance(result, list) else [result]:
        kind = one.get("type") if isinstance(one, dict) else None
        value = one.get("value") if isinstance(one, dict) else None
        if kind not in _SPANS or not isinstance(value, dict):
            problems.add(
                f"{row.place}: received a result of type {show(kind)}, which marks no words; "
                "accepted: results of type 'labels'"
            )
            continue
        labels = value.get("labels", value.get(str(kind)))
        spans.append({**value, "labels": labels})
    return spans
