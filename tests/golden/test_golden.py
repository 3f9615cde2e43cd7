"""Numbers that stay as they are while the code that computes them is rebuilt.

`values.yaml` holds what commands gave: losses, logits, scores with their intervals, trained
weights, arithmetic, the answer of a search. Where one changes on purpose, write the file again
and let the commit say why:

    GOLDEN=write .venv/bin/python -m pytest tests/golden
"""

import os
from pathlib import Path

import pytest
import yaml

from tests.golden.collected import MINILM, Collector, arithmetic, positions

pytestmark = [pytest.mark.long, pytest.mark.numeric]

FILE = Path(__file__).parent / "values.yaml"
WRITES = os.environ.get("GOLDEN") == "write"
# Noise of half a unit in the last place in every weight of the encoder moved losses and scores by
# 4e-7 at most, sums over the trained weights by 6e-6.
TOLERANCE = 1e-5
OF_WEIGHTS = 1e-4


@pytest.fixture(scope="module")
def tiny(make_encoder, tmp_path_factory):
    """Folder of an encoder of two layers, which trace faster than three."""

    def two_layers(tensors):
        return {name: value for name, value in tensors.items() if "layer.2." not in name}

    folder = tmp_path_factory.mktemp("golden_encoder")
    return make_encoder(folder, two_layers, num_hidden_layers=2)


@pytest.fixture(scope="module")
def collector(tiny, tmp_path_factory):
    return Collector(tmp_path_factory.mktemp("golden"), tiny)


def leaves(value, path=""):
    """Path and value of everything that holds nothing else."""
    if isinstance(value, dict | list | tuple) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, f"{path} / {key}" if path else str(key))
    else:
        yield path, value


def changes(stored, found):
    """A line for every value that is not as stored, with how far off it is."""
    old, new = dict(leaves(stored)), dict(leaves(found))
    for path in [*old, *(path for path in new if path not in old)]:
        if path not in new or path not in old:
            yield f"{path}: {'gone' if path in old else f'new, {new[path]!r}'}"
            continue
        before, now = old[path], new[path]
        if isinstance(before, float) and isinstance(now, float):
            allowed = (OF_WEIGHTS if path.startswith("weights") else TOLERANCE) * max(
                1.0, abs(before)
            )
            if not abs(now - before) <= allowed:
                yield f"{path}: {now:.9g}, was {before:.9g}: by {now - before:.2g} of {allowed:.1g}"
        elif type(before) is not type(now) or before != now:
            yield f"{path}: {now!r}, was {before!r}"


def check(name, found):
    content = yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    if WRITES:
        content[name] = found
        FILE.write_text(
            yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100)
        )
        return
    lines = list(changes(content[name], found))
    assert not lines, (
        f"{name}: {len(lines)} golden values changed; where one changes on purpose, "
        + ("the commit says why (GOLDEN=write stores it)\n" + "\n".join(lines[:40]))
    )


def test_order_of_examples_and_dropped_units():
    check("positions", positions())


@pytest.mark.parametrize("encoder", ["tiny", "MiniLM"])
def test_arithmetic(encoder, tiny, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    check(
        f"arithmetic of {encoder}", arithmetic(str(tiny) if encoder == "tiny" else MINILM, capsys)
    )


def test_search_over_depths_of_a_task_with_classes(collector):
    check("search", collector.search())


def test_packed_training_of_a_task_with_several_labels(collector):
    check("packed", collector.packed())


def test_cached_training_of_a_task_with_values(collector):
    check("cached", collector.cached())


def test_short_training_of_a_real_encoder(collector):
    check("MiniLM", collector.minilm())
