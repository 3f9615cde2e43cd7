"""bfloat16 is taken where its steps are at least 10 % faster and its losses agree."""

import math

import pytest

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.runs.precision import choose_precision, judged, loss_tolerance
from tf_finetune.training.step_timing import TimedSteps

EXACT = TimedSteps((3.0, 2.0, 9.0), (0.70, 0.50))


def of(seconds, losses=(0.71, 0.49)):
    half = TimedSteps((seconds,) * 3, losses)
    return judged({"float32": EXACT, "mixed_bfloat16": half}, 0.1, "this CPU (AMX)")


def test_a_faster_step_with_the_same_losses_is_taken():
    chosen = of(1.5)

    assert chosen.line == (
        "precision: mixed_bfloat16, because a bfloat16 step is 2x as fast on this CPU (AMX) "
        "(1.5 s against 3 s, medians of 3) and its losses differ by 0.01 of 0.06 at most"
    )
    assert chosen.seconds == {"float32": 3.0, "mixed_bfloat16": 1.5}
    assert chosen.tolerance == pytest.approx(0.1 * 0.6)


@pytest.mark.parametrize(
    ("seconds", "losses", "why"),
    [
        (9.3, (0.7, 0.5), "takes 3.1x as long on this CPU (AMX) (9.3 s against 3 s, medians of 3)"),
        (2.8, (0.7, 0.5), "is 1.07x as fast on this CPU (AMX) (2.8 s against 3 s, medians of 3), "),
        (1.0, (0.7, 0.6), "but its losses differ by 0.1, more than 0.06"),
        (1.0, (0.7, math.nan), "but its losses differ by nan, more than 0.06"),
    ],
)
def test_else_float32_is_and_why(seconds, losses, why):
    chosen = of(seconds, losses)

    assert chosen.precision == "float32"
    assert why in chosen.reason


def test_the_tolerance_follows_from_eight_bits_and_the_number_of_layers(spec_for, tiny_encoder):
    spec = spec_for(tiny_encoder)

    # Three deviations of the difference of two sums of 18 roundings a layer and 9 around them.
    assert loss_tolerance(spec) == pytest.approx(3 * math.sqrt(2 * (18 * 3 + 9) / 3) / 2**8)


def test_a_head_that_is_solved_is_not_timed(spec_for, tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)
    spec = spec_for(files, freeze={"depth": 3}, training={"solver": "exact"})

    made = choose_precision(spec, None, None, None)

    assert made.model is None
    assert made.chosen.line == "precision: float32, because a head that is solved takes no steps"
