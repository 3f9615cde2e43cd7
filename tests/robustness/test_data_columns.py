"""Columns beside texts and labels are found, whichever of them a model reads."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.robustness.data_columns import columns_of, values_of_rows

COLUMNS = {"text": ["a", "b", "c"], "label": ["x", "y", "x"], "source": ["web", None, "mail"]}
READ = DataConfig(text_column="text", label_column="label")


@pytest.fixture(params=["csv", "parquet"])
def source(request, tmp_path):
    path = tmp_path / f"data.{request.param}"
    if request.param == "parquet":
        pq.write_table(pa.table(COLUMNS), path)
        return str(path), 0
    rows = zip(*([one or "" for one in column] for column in COLUMNS.values()), strict=True)
    path.write_text("\n".join([",".join(COLUMNS), *map(",".join, rows)]) + "\n")
    return str(path), 1  # after its header


def test_what_stands_in_a_column_is_found_by_the_row(source):
    path, shift = source

    assert columns_of(READ, path, "test") == ("text", "label", "source")
    found = values_of_rows(READ, path, "test", ["source"], [3 + shift, 1 + shift, 2 + shift])
    assert [value or None for value in found["source"]] == ["mail", "web", None]
    assert values_of_rows(READ, path, "test", [], [1]) == {}
