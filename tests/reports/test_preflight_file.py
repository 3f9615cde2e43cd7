"""Only what `preflight` wrote for the same encoder is shown in a report."""

import json

import pytest

from tf_finetune.errors import UserError
from tf_finetune.reports.preflight_file import read_preflight

CONTENT = {
    **{"encoder": "MiniLM", "length": 128, "precision": "float32", "examples": 10, "epochs": 3},
    "assumptions_of_estimates": [],
    "cells": [{"chip": "v5e", "depth": 0, "batch_size": 8, "fits": False}],
}


def test_what_preflight_wrote_is_read(tmp_path):
    path = tmp_path / "preflight.json"
    path.write_text(json.dumps(CONTENT))

    assert read_preflight(str(path), "MiniLM") == CONTENT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is no JSON"),
        ("[]", "holds something else"),
        (json.dumps({**CONTENT, "cells": [{"fits": True}]}), "holds something else"),
        (json.dumps({**CONTENT, "encoder": "other"}), "is about other, the search about MiniLM"),
    ],
)
def test_anything_else_is_refused(tmp_path, text, problem):
    path = tmp_path / "preflight.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UserError, match=rf"search\.preflight: .*{problem}.*accepted: the pref"):
        read_preflight(str(path), "MiniLM")
