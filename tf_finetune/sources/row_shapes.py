"""Which records of a delimited file have their fields in the columns where they belong."""

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fields import label_columns
from tf_finetune.sources.problems import Problems, show, show_names

TEXT_WITHOUT_NAME = (
    "rows with text in columns without a name, which is not read (a delimiter inside a text that "
    "is not quoted?)"
)
CUT_FIELDS = "rows with more fields than columns, which were left out (data.extra_columns: ignore)"
SHORT_ROWS = "rows without the last columns, which nothing uses"
_LABELS_KEPT = 1000


class RowShapes:
    """Checks the number of fields of each record of a file.

    A delimiter inside a text that is not quoted moves all that follows it, so fields that are
    too many are an error unless they are empty or the options let them be ignored. Of fields that
    are missing at the end only those count that are used; but where one that has a name is missing,
    the label may have moved, so it has to be one that also stands in a complete row.

    Args:
        name: The file, for messages.
        columns: Names of the columns, "" for those without.
        config: Options of the data section.
        problems: Gets what is wrong, and notes.
    """

    def __init__(self, name: str, columns: tuple[str, ...], config: DataConfig, problems: Problems):
        self._name, self._columns, self._problems = name, columns, problems
        self._header = config.header
        self._ignores_extra = config.extra_columns == "ignore"
        self._expected = f"{len(columns)}, as in {'the header' if config.header else 'row 1'}"
        used = (config.text_column, config.text_pair_column, *label_columns(config))
        self._used = {column for column in used if column in columns}
        self._unnamed = [index for index, column in enumerate(columns) if not column]
        label = config.label_column
        self._label = columns.index(label) if label is not None and label in columns else None
        self._labels: set[str] = set()
        self._doubtful: dict[str, tuple[int, int]] = {}

    def check(self, number: int, fields: list[str]) -> bool:
        """Whether a record can be read; else a problem says why.

        Args:
            number: Its row.
            fields: Its fields.
        """
        if len(fields) > len(self._columns):
            return self._check_long(number, fields)
        if len(fields) < len(self._columns):
            return self._check_short(number, fields)
        if self._label is not None and len(self._labels) < _LABELS_KEPT:
            self._labels.add(fields[self._label].strip())
        if self._unnamed and any(_is_text(fields[index]) for index in self._unnamed):
            self._problems.note(TEXT_WITHOUT_NAME, f"row {number}: {self._unnamed_text(fields)}")
        return True

    def check_end(self) -> None:
        """Adds a problem for each short record whose label stands in no complete row."""
        for label, (number, count) in self._doubtful.items():
            if label not in self._labels:
                self._problems.add(
                    f"{self._name}, row {number}: has {count} fields; accepted: {self._expected} "
                    f"(its label would be {show(label)}, which stands in no complete row)"
                )

    def _check_long(self, number: int, fields: list[str]) -> bool:
        extra = [field for field in fields[len(self._columns) :] if field.strip()]
        if not extra:
            return True
        if self._ignores_extra:
            self._problems.note(CUT_FIELDS, f"row {number}: {show_names(extra[:3])}")
            return True
        self._problems.add(
            f"{self._name}, row {number}: has {len(fields)} fields; accepted: {self._expected} (a "
            "text that holds the delimiter has to be quoted; else its end, and what follows it, "
            f"come into the next columns: {show_names(fields[-3:])})"
        )
        return False

    def _check_short(self, number: int, fields: list[str]) -> bool:
        missing = self._columns[len(fields) :]
        # Without a header nothing says how many columns there are: those asked for must be there.
        if not any(missing) or (self._ignores_extra and not self._header):
            return True
        used = [column for column in missing if column in self._used]
        if used:
            self._problems.add(
                f"{self._name}, row {number}: has {len(fields)} fields; accepted: {self._expected} "
                f"(the column {show_names(used)} is missing)"
            )
            return False
        self._problems.note(SHORT_ROWS, f"row {number}")
        label = "" if self._label is None else fields[self._label].strip()
        if not label or label in self._labels or label in self._doubtful:
            return True
        self._doubtful[label] = number, len(fields)
        if len(self._doubtful) <= _LABELS_KEPT:
            return True
        self.check_end()
        self._problems.stop(f"{self._name}, row {number}: too many rows have too few fields")

    def _unnamed_text(self, fields: list[str]) -> str:
        return show(next(fields[i] for i in self._unnamed if _is_text(fields[i])))


def _is_text(field: str) -> bool:
    """Whether a field without a name holds anything but a row number."""
    stripped = field.strip()
    return bool(stripped) and not stripped.isdigit()
