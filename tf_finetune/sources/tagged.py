"""Texts whose words have tags, as lists of tokens and of tags or as marked spans of characters."""

from pathlib import Path

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.conll import looks_like_conll, open_conll
from tf_finetune.sources.inference import TEXT_NAMES, Sample, infer_text_column
from tf_finetune.sources.marked_spans import as_marks
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_form import ReadRow, RecordForm, first_named, mostly, undecided
from tf_finetune.sources.table import Table
from tf_finetune.sources.tag_schemes import is_tag
from tf_finetune.sources.tagged_rows import TaggedRows, as_tags, as_tokens, tag_reading

_TOKEN_NAMES = ("tokens", "words", "token")
_TEXT_NAMES = (*TEXT_NAMES, "data")  # the last is doccano's
_TAG_NAMES = (
    "tags",
    "ner_tags",
    "labels",
    "label",
    "entities",
    "spans",
    "ner",
    "slots",
    "iob",
    "bio",
)


class TaggedTexts(RecordForm):
    """Records of `token_classification`: words with IOB2 tags."""

    task = "token_classification"
    kinds = ("conll",)
    needs = (
        "words and tags: CoNLL columns, a column of lists of tokens and one of lists of as many "
        "tags, or a text and a column of lists of [start, end, kind]"
    )
    options = frozenset({"text_column", "label_column"})

    def open_text(self, config: DataConfig, source: str, path: Path) -> Table | None:
        """CoNLL columns."""
        return open_conll(config, source, path) if looks_like_conll(config, source, path) else None

    def recognised(self, table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
        """CoNLL columns; lists of tokens beside lists of as many tags; spans with their kinds."""
        if table.kind == "conll":
            return self._of_conll(table, config)
        for text, labels in (self._tokens(sample, config), self._marked(sample, config)):
            label = config.label_column or first_named(labels, _TAG_NAMES)
            if text is not None and label in labels:
                return {"text_column": text, "label_column": label}
        return {}

    def _tokens(self, sample: Sample, config: DataConfig) -> tuple[str | None, list[str]]:
        """A column of lists of tokens, and those of lists of as many tags."""
        lists = [name for name in sample.columns if _are_lists(sample.values(name))]
        others = [name for name in lists if name != config.label_column]
        text = config.text_column or first_named(others, (*_TOKEN_NAMES, *_TEXT_NAMES))
        if text not in lists:
            return None, []
        tags = self._tag_columns(sample, text)
        return text, [name for name in tags if _are_parallel(sample, text, name)]

    def _marked(self, sample: Sample, config: DataConfig) -> tuple[str | None, list[str]]:
        """A column of texts, and those of lists of spans; none where spans have relations."""
        marked = _marked_columns(sample)
        if not marked or any(sample.values("relations")):
            return None, []
        return config.text_column or first_named(_texts(sample, marked), _TEXT_NAMES), marked

    def columns(
        self,
        table: Table,
        sample: Sample,
        config: DataConfig,
        problems: Problems,
        *,
        labelled: bool,
    ) -> dict[str, object]:
        """The columns of words and of tags, which well-known names and values tell."""
        if table.kind == "conll":
            return self._of_conll(table, config)
        text, label = config.text_column, config.label_column
        marked = _marked_columns(sample)
        if text is None:
            others = [name for name in sample.columns if name != label]
            of_spans = label in marked if label else bool(marked)
            text = first_named(
                _texts(sample, marked) if of_spans else others,
                _TEXT_NAMES if of_spans else (*_TOKEN_NAMES, *_TEXT_NAMES),
            )
        if text is None:
            text = infer_text_column(sample, {*marked, *([label] if label else [])}, problems)
        elif labelled and label is None:
            label = first_named([*marked, *self._tag_columns(sample, text)], _TAG_NAMES)
            if label is None:
                reason = f"no column holds tags of what {show(text)} holds"
                problems.add(undecided(self, sample, "label_column", reason))
        return {"text_column": text, "label_column": label}

    def reader(
        self, table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
    ) -> ReadRow:
        """What reads words and tags, as the whole source tells that they are written."""
        reading = tag_reading(table, config) if labelled and table is not None else None
        return TaggedRows(config, problems, reading)

    def _of_conll(self, table: Table, config: DataConfig) -> dict[str, object]:
        last = table.columns[-1] if len(table.columns) > 1 else None
        return {
            "text_column": config.text_column or table.columns[0],
            "label_column": config.label_column or last,
        }

    def _tag_columns(self, sample: Sample, text: str) -> list[str]:
        return [name for name in sample.columns if name != text and _hold_tags(sample.values(name))]


def _marked_columns(sample: Sample) -> list[str]:
    """Columns of lists of spans, of which at least one is not empty."""
    found = {name: [as_marks(value) for value in sample.values(name)] for name in sample.columns}
    return [
        name
        for name, marks in found.items()
        if any(marks) and mostly(one is not None for one in marks)
    ]


def _texts(sample: Sample, marked: list[str]) -> list[str]:
    """Columns of texts beside those of spans."""
    return [
        name
        for name in sample.columns
        if name not in marked and mostly(isinstance(one, str) for one in sample.values(name))
    ]


def _are_lists(values: list[object]) -> bool:
    return mostly(as_tokens(value) is not None for value in values)


def _hold_tags(values: list[object]) -> bool:
    return mostly(map(_are_tags, values))


def _are_tags(value: object) -> bool:
    """Whether a value could be the tags of a text; numbers stand for tags that have names."""
    tags = as_tags(value, None)
    return tags is not None and all(is_tag(tag) or _is_number(tag) for tag in tags)


def _is_number(tag: object) -> bool:
    return isinstance(tag, int) and not isinstance(tag, bool)


def _are_parallel(sample: Sample, text: str, label: str) -> bool:
    """Whether texts have as many tokens as tags."""
    pairs = [(as_tokens(row.get(text)), as_tags(row.get(label), None)) for row in sample.rows]
    return mostly(
        tokens is not None and tags is not None and len(tokens) == len(tags)
        for tokens, tags in pairs
    )
