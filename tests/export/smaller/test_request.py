"""The flags that ask for a smaller model."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.export.formats import read_request
from tf_finetune.export.smaller.request import SmallerRequest, read_smaller


def read(**flags):
    problems = []
    names = {"--" + name.replace("_", "-"): value for name, value in flags.items()}
    return read_smaller(names, problems), problems


def test_no_flag_asks_for_nothing():
    assert read(drop_layers=None, epochs=None) == (None, [])


def test_flags_are_read():
    assert read(drop_layers="2", prune_heads="0.25", epochs="0", learning_rate="1e-4") == (
        SmallerRequest(drop_layers=2, prune_heads=0.25, epochs=0, learning_rate=1e-4),
        [],
    )
    assert read(distil="3", temperature="4", teacher_weight="1")[0] == SmallerRequest(
        distil=3, temperature=4.0, teacher_weight=1.0
    )
    assert read(drop_layers="auto")[0] == SmallerRequest(drop_layers="auto")


def test_share_of_heads_is_a_number_of_them():
    assert SmallerRequest(prune_heads=0.25).heads_of(24) == 6
    assert SmallerRequest(prune_heads=5).heads_of(24) == 5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"drop_layers": "0"}, "--drop-layers: received '0'; accepted: a whole number from 1, or"),
        ({"drop_layers": "some"}, "--drop-layers: received 'some'"),
        ({"prune_heads": "1.0"}, "--prune-heads: received '1.0'; accepted: a whole number from 1"),
        ({"prune_heads": "nan"}, "--prune-heads: received 'nan'"),
        ({"distil": "-1"}, "--distil: received '-1'"),
        ({"distil": "1", "epochs": "2.5"}, "--epochs: received '2.5'; accepted: a whole number"),
        ({"distil": "1", "learning_rate": "0"}, "--learning-rate: received '0'; accepted: a numb"),
        ({"distil": "1", "temperature": "inf"}, "--temperature: received 'inf'"),
        ({"distil": "1", "teacher_weight": "1.1"}, "--teacher-weight: received '1.1'; accepted"),
        ({"epochs": "1"}, "--epochs: received alone; accepted: with --drop-layers, --prune-heads"),
        ({"drop_layers": "1", "temperature": "2"}, "--temperature: received without --distil"),
        ({"drop_layers": "1", "distil": "2"}, "--distil: received with --drop-layers"),
        ({"prune_heads": "1", "distil": "2"}, "--distil: received with --prune-heads"),
    ],
)
def test_mistakes_are_told(flags, message):
    request, problems = read(**flags)

    assert request is None
    assert [problem for problem in problems if problem.startswith(message)]


def test_all_mistakes_of_an_export_are_told_at_once():
    with pytest.raises(UserError) as raised:
        read_request("onnx", None, "2", {"--distil": "x", "--epochs": "y"})

    assert len(raised.value.problems) == 4


def test_largest_loss_is_accepted_with_a_smaller_model():
    request = read_request("huggingface", None, "0.1", {"--drop-layers": "1"})

    assert request.smaller == SmallerRequest(drop_layers=1)


@pytest.mark.parametrize(
    ("request_", "task", "message"),
    [
        (SmallerRequest(drop_layers=3), "single_label", "--drop-layers: received 3; accepted: 1 t"),
        (SmallerRequest(distil=3), "single_label", "--distil: received 3; accepted: 1 to 2"),
        (SmallerRequest(prune_heads=10), "single_label", "received 10; accepted: up to 9 of the "),
        (SmallerRequest(prune_heads=0.01), "single_label", "received 0.01, which is no whole head"),
        (
            SmallerRequest(drop_layers=1, prune_heads=7),
            "single_label",
            "--prune-heads: received 7; accepted: up to 6 of the 8 heads of 2 layers",
        ),
        (SmallerRequest(distil=1, temperature=2.0), "regression", "--temperature: received 2 for"),
    ],
)
def test_what_does_not_fit_the_model_is_told(request_, task, message):
    with pytest.raises(UserError, match=message):
        request_.check(3, 4, task)


def test_model_of_one_layer_cannot_lose_it():
    with pytest.raises(UserError, match="--drop-layers: received auto; accepted: nothing"):
        SmallerRequest(drop_layers="auto").check(1, 4, "single_label")


@pytest.mark.parametrize("request_", [SmallerRequest(drop_layers=2), SmallerRequest(distil=1)])
def test_what_fits_is_accepted(request_):
    request_.check(3, 4, "single_label")


def test_shared_weights_keep_their_heads_and_their_groups():
    request = SmallerRequest(drop_layers=1, prune_heads=1)

    with pytest.raises(UserError, match="layers of this model share their weights") as caught:
        request.check(4, 4, "single_label", groups=2)

    assert len(caught.value.problems) == 2
    SmallerRequest(drop_layers=1).check(4, 4, "single_label", groups=1)
