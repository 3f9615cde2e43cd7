from dataclasses import replace

import pytest

from tf_finetune.results.recommendation import (
    DepthComparison,
    DepthResult,
    Loss,
    Recommendation,
)
from tf_finetune.results.trial import Cell, Place
from tf_finetune.searches.answer import sentence


def depth_result(depth, score, seconds, **more):
    values = {
        "cell": Cell(depth, 3e-4),
        "num_cells": 3,
        "rate_edge": None,
        "rate_told_apart": True,
        "seeds": (0, 1),
        "score": score,
        "low": score - 0.02,
        "high": score + 0.02,
        "standard_error": 0.01,
        "measured_score": score,
        "validation_loss": 0.3,
        "optimism": 0.0,
        "seed_deviation": 0.004,
        "trainable_parameters": 1000,
        "seconds_per_epoch": seconds,
        "peak_memory_bytes": None,
        "step_flops": None,
        "relative_time": seconds / 34.0,
        "relative_memory": None,
        "relative_flops": None,
        "answer_flops": None,
        "relative_answer": None,
    }
    return DepthResult(**(values | more))


def comparison(better, worse, difference, **more):
    values = {
        "better": Place(better),
        "worse": Place(worse),
        "seeds": (0, 1),
        "seeds_are_paired": True,
        "difference": difference,
        "standard_error": 0.01,
        "degrees_of_freedom": 100.0,
        "p_value": 0.5,
        "adjusted_p_value": 0.5,
        "separated": False,
        "low": -0.004,
        "high": 0.018,
        "at_most": 0.03,
        "examples_needed": None,
        "seeds_needed": None,
    }
    return DepthComparison(**(values | more))


def recommendation(*depths, recommended, best, **more):
    values = {
        "metric": "accuracy",
        "higher_is_better": True,
        "num_layers": 6,
        "num_examples": 872,
        "confidence": 0.95,
        "tolerance": 0.01,
        "depths": depths,
        "recommended_place": Place(recommended),
        "best_place": Place(best),
        "acceptable_place": Place(best),
        "reference_place": depths[0].place,
        "comparisons": (),
        "num_trials": 24,
        "failed": (),
        "places_without_result": (),
        "loss": None if recommended == best else Loss(0.007, -0.004, 0.018),
    }
    return sentence.in_words(Recommendation(**(values | more)))


FULL = depth_result(0, 0.871, 34.0)
UNCLEAR = comparison(0, 4, 0.007, examples_needed=9012, seeds_needed=14)
HALF = depth_result(4, 0.864, 10.0, to_best=UNCLEAR)
CLEAR = comparison(0, 6, 0.12, separated=True, adjusted_p_value=0.0031)
HEAD = depth_result(6, 0.751, 0.3, to_best=CLEAR)


def test_the_whole_answer():
    found = recommendation(FULL, HALF, HEAD, recommended=4, best=0)
    assert found.sentence == (
        "Freeze 4 of 6 layers at learning rate 3e-4: accuracy 0.864 (95% interval 0.844 to "
        "0.884), 0.7 points below the best (training all layers, 0.871; 95% interval -0.4 to 1.8), "
        "3.4x cheaper per epoch than full fine-tuning. The evidence shows that depth 0 is better "
        "than depth 6 (p = 0.0031) but not that it is better than depth 4; telling 0 and 4 "
        "apart would take about 9,000 validation examples (872 now) or 14 seeds (2 now)."
    )
    assert list(found.notes) == []


def test_a_loss_that_is_expected_to_be_none_is_said_in_words():
    found = recommendation(FULL, HALF, recommended=4, best=0, loss=Loss(-0.007, -0.034, 0.02))

    assert (
        "0.884), expected to be no worse than the best score (training all layers, 0.871; 95% "
        "interval 3.4 points better to 2.0 worse), 3.4x cheaper"
    ) in found.sentence


def test_the_whole_answer_over_folds():
    found = recommendation(FULL, HALF, HEAD, recommended=4, best=0, num_examples=108, folds=5)
    assert found.sentence == (
        "Freeze 4 of 6 layers at learning rate 3e-4: out-of-fold accuracy 0.864 (95% interval "
        "0.844 to 0.884, 5 folds), 0.7 points below the best (training all layers, 0.871; 95% "
        "interval -0.4 to 1.8), 3.4x cheaper per epoch than full fine-tuning. The evidence shows "
        "that depth 0 is better than depth 6 (p = 0.0031) but not that it is better than depth 4; "
        "telling 0 and 4 apart would take about 9,000 training examples (108 now) or 14 seeds (2 "
        "now)."
    )
    assert "validation" not in " ".join([*list(found.notes), *list(found.alternatives)])


def test_methods_are_named_with_their_depths():
    full, biases = (
        {"cell": Cell(d, 3e-4, (("method", m),))} for d, m in ((3, "full"), (4, "biases"))
    )
    head, best = {"cell": Cell(6, None)}, Place(3, "full")
    pairs = [
        replace(comparison(3, 4, 0.01), better=best, worse=Place(4, "biases")),
        replace(comparison(3, 6, 0.1, separated=True, adjusted_p_value=0.01), better=best),
    ]

    found = recommendation(
        depth_result(3, 0.9, 30.0, **full),
        depth_result(4, 0.89, 10.0, **biases, to_best=pairs[0], seed_deviation=0.1),
        depth_result(6, 0.8, 1.0, **head, to_best=pairs[1]),
        recommended=3,
        best=3,
        **dict.fromkeys(("recommended_place", "best_place", "acceptable_place"), best),
        reference_place=best,
        places_without_result=(Place(5, "biases"),),
    )

    assert found.answer.startswith("Train all weights on layers 3, 4 and 5 (3 of 6 frozen) at ")
    assert "the best of the 3 combinations of method and depth tried" in found.answer
    assert found.certainty == (
        "The evidence shows that depth 3 with all weights is better than depth 6 with the head "
        "alone (p = 0.01) but not that it is better than depth 4 with biases; telling depth 3 with "
        "all weights and depth 4 with biases apart would take both more validation examples and "
        "more seeds."
    )
    assert "Depth 5 with biases has no completed trial and is left out." in found.notes
    assert any("uncertainty at depth 4 with biases comes" in note for note in found.notes)
    assert (
        "Full fine-tuning (depth 0) has no result: times and memory in the table are relative to "
        "depth 3 with all weights."
    ) in found.notes


def test_the_probability_that_a_race_gives():
    found = recommendation(FULL, HALF, HEAD, recommended=4, best=0, chance_right=0.9634)
    assert found.sentence.endswith(
        "The race gives it a probability of 96 % to be within 0.010 of the best of all that could "
        "be tried."
    )
    sure = replace(found, chance_right=1.0)
    assert "a probability of 99 %" in sentence.certainty(sure)


def test_the_loss_of_an_error_is_above_the_best_in_its_own_unit():
    best = depth_result(0, 0.30, 34.0)
    other = depth_result(4, 0.32, 10.0, to_best=UNCLEAR)
    found = recommendation(
        *(best, other),
        recommended=4,
        best=0,
        metric="mse",
        higher_is_better=False,
        loss=Loss(0.02, -0.001, 0.041),
    )
    assert (
        ", 0.020 above the best (training all layers, 0.300; 95% interval -0.001 to 0.041), 3.4x "
        in found.answer
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("one_standard_error", "; no cheaper depth comes within one standard error of it."),
        ("non_inferior", "; no cheaper depth is shown to lose less than 0.010."),
        ("best", ", the best of the 2 depths tried."),
    ],
)
def test_the_rule_says_why_nothing_cheaper_is_recommended(rule, words):
    found = recommendation(FULL, HEAD, recommended=0, best=0, rule=rule)
    assert found.answer.endswith(words)


def test_training_everything_is_the_best():
    found = recommendation(FULL, HEAD, recommended=0, best=0)
    assert found.sentence == (
        "Train all layers at learning rate 3e-4: accuracy 0.871 (95% interval 0.851 to 0.891), "
        "the best of the 2 depths tried; no cheaper depth comes within one standard error of "
        "it. The evidence shows that depth 0 is better than depth 6 (p = 0.0031)."
    )


def test_a_single_depth_and_seed():
    only = depth_result(6, 0.75, 0.5, seeds=(3,), seed_deviation=None, relative_time=1.0)
    found = recommendation(only, recommended=6, best=6)
    assert found.sentence == (
        "Freeze all 6 layers (train only pooler and head) at learning rate 3e-4: accuracy 0.750 "
        "(95% interval 0.730 to 0.770), the only depth with a result. With one depth there is "
        "nothing to compare. Only one seed was tried, so none of this covers chance in training."
    )
    assert list(found.notes) == [
        "Full fine-tuning (depth 0) has no result: times and memory in the table are relative to "
        "depth 6."
    ]


def test_a_model_of_one_layer():
    only = depth_result(1, 0.75, 0.5)
    found = recommendation(only, recommended=1, best=1, num_layers=1)
    assert sentence.answer(found).startswith(
        "Freeze the only layer (train only pooler and head) at learning rate 3e-4: "
    )
    assert sentence.answer(replace(found, has_pooler=False)).startswith(
        "Freeze the only layer (train only the head) at learning rate 3e-4: "
    )


def test_further_options_are_part_of_what_to_do():
    cell = Cell(2, 0.000123456, (("training.batch_size", 16),))
    found = recommendation(depth_result(2, 0.8, 1.0, cell=cell), recommended=2, best=2)
    assert sentence.answer(found).startswith(
        "Freeze 2 of 6 layers at learning rate 1.23e-4, training.batch_size=16: accuracy 0.800"
    )


def test_layers_that_are_used_alone_are_what_to_do():
    def head(layers, score, **more):
        extra = (("encoder.layers", layers), ("encoder.pooling", "mean"))
        return depth_result(layers, score, 1.0, cell=Cell(layers, None, extra), **more)

    pair = comparison(4, 1, 0.004)
    found = recommendation(head(1, 0.8, to_best=pair), head(4, 0.804), recommended=1, best=4)

    assert sentence.answer(found).startswith(
        "Use the first of 6 layers as it is and solve the head exactly on the mean of all tokens: "
        "accuracy 0.800 (95% interval"
    )
    assert "below the best (using the first 4 alone, 0.804; " in sentence.answer(found)
    alone = recommendation(head(4, 0.804), recommended=4, best=4)
    assert sentence.answer(alone).startswith("Use the first 4 of 6 layers as they are and solve")


@pytest.mark.parametrize(
    "ratio, words",
    [
        (0.01, "100x cheaper per epoch than full fine-tuning."),
        (0.5, "2.0x cheaper per epoch than full fine-tuning."),
        (0.75, "25% cheaper per epoch than full fine-tuning."),
        (1.02, "as expensive per epoch as full fine-tuning."),
        (1.3, "1.3x as expensive per epoch as full fine-tuning."),
        (None, "(training all layers, 0.871; 95% interval -0.4 to 1.8)."),
    ],
)
def test_the_price_in_words(ratio, words):
    found = recommendation(FULL, replace(HALF, relative_time=ratio), recommended=4, best=0)
    assert sentence.answer(found).endswith(words)


def test_the_price_without_full_fine_tuning():
    found = recommendation(
        depth_result(2, 0.871, 34.0),
        replace(HALF, to_best=comparison(2, 4, 0.001)),
        recommended=4,
        best=2,
    )
    assert sentence.answer(found).endswith(
        "below the best (freezing 2, 0.871; 95% interval -0.4 to 1.8), 3.4x cheaper per epoch than "
        "the best."
    )


def test_the_price_of_the_best_is_told_against_the_least_frozen_of_the_whole_encoder():
    cut = Cell(1, None, (("encoder.layers", 1),))
    first = depth_result(1, 0.70, 1.0, cell=cut)
    least, best = depth_result(2, 0.84, 34.0), depth_result(4, 0.87, 17.0)

    found = recommendation(first, least, best, recommended=4, best=4, reference_place=Place(2))

    assert "2.0x cheaper per epoch than freezing 2;" in sentence.answer(found)
    assert found.price_against(least) == best
    assert "2x as expensive per epoch as the best" in sentence.answer(
        replace(found, recommended_place=Place(2), loss=Loss(0.03, 0.0, 0.06))
    )


def test_long_runs_of_depths_are_named_by_their_ends():
    pairs = [comparison(0, depth, 0.002) for depth in (1, 2, 3, 4, 6, 7, 8)]

    assert "over depths 1 to 4, 6, 7 and 8 may be chance" in certainty(*pairs)


def certainty(*pairs, recommended=0, **more):
    depths = [replace(HALF, cell=Cell(pair.worse.depth, 1e-4), to_best=pair) for pair in pairs]
    return sentence.certainty(recommendation(FULL, *depths, recommended=recommended, best=0))


def test_nothing_is_separated():
    nearer = comparison(0, 2, 0.002, examples_needed=90_000)
    assert certainty(nearer, UNCLEAR, recommended=2) == (
        "The evidence does not separate the depths: depth 0 scores best, but its lead over "
        "depths 2 and 4 may be chance; telling 0 and 2 apart would take about 90,000 validation "
        "examples (872 now); more seeds alone would not do."
    )
    # Of no depth in particular, that which is easiest to tell.
    assert "; telling 0 and 4 apart would take" in certainty(nearer, UNCLEAR)


def test_all_are_separated():
    nearer = comparison(0, 4, 0.1, separated=True, adjusted_p_value=0.0004)
    assert certainty(nearer, CLEAR) == (
        "The evidence shows that depth 0 is better than depths 4 and 6 (p at most 0.0031)."
    )
    assert certainty(nearer).endswith("depth 4 (p < 0.001).")


def test_depths_that_score_the_same():
    assert certainty(comparison(0, 2, 0.0), comparison(0, 4, 0.0)) == (
        "The evidence does not separate the depths: depths 0, 2 and 4 score the same."
    )


@pytest.mark.parametrize(
    "change, effort",
    [
        (
            {"examples_needed": 2_000_000, "seeds_needed": 5000},
            "over a million validation examples or over a thousand seeds",
        ),
        (
            {"examples_needed": None},
            "14 seeds (2 now); more validation examples alone would not do",
        ),
        (
            {"examples_needed": None, "seeds_needed": None},
            "both more validation examples and more seeds",
        ),
        (
            {"seeds": (0,), "seeds_needed": None},
            "about 9,000 validation examples (872 now), and a second seed to see how much "
            "training varies by chance",
        ),
        ({"seeds_are_paired": False}, "seeds that both have"),
    ],
)
def test_the_effort_in_words(change, effort):
    text = certainty(replace(UNCLEAR, **change))
    assert text.endswith(f"; telling 0 and 4 apart would take {effort}.")


@pytest.mark.parametrize(("needed", "effort"), [(9012, "about 9,000"), (None, "more")])
def test_heads_that_are_solved_are_told_apart_by_examples_alone(needed, effort):
    pair = comparison(2, 4, 0.007, seeds=(0,), examples_needed=needed)
    heads = [
        depth_result(depth, 0.8, 1.0, cell=Cell(depth, None), to_best=to_best)
        for depth, to_best in ((2, None), (4, pair))
    ]

    text = sentence.certainty(recommendation(*heads, recommended=2, best=2))

    assert f"; telling 2 and 4 apart would take {effort} validation examples" in text
    assert "seed" not in text


def test_the_alternatives():
    found = recommendation(FULL, HALF, HEAD, recommended=4, best=0)
    assert list(found.alternatives) == [
        "Best score: train all layers at learning rate 3e-4, accuracy 0.871 (95% interval 0.851 "
        "to 0.891).",
        "No cheaper depth is shown to lose less than 0.010 of accuracy against the best.",
    ]
    assert sentence.alternatives(replace(found, acceptable_place=Place(4)))[1] == (
        "Cheapest that is shown to lose less than 0.010 of accuracy against the best: freeze 4 "
        "of 6 layers at learning rate 3e-4, 0.864, 3.4x cheaper per epoch than full fine-tuning."
    )


def test_where_nothing_is_cheaper_no_cheaper_depth_is_spoken_of():
    found = recommendation(FULL, HALF, HEAD, recommended=6, best=6)
    assert len(list(found.alternatives)) == 1


def test_other_metrics_have_names_for_people():
    found = recommendation(FULL, recommended=0, best=0, metric="spearman", confidence=0.9)
    assert ": Spearman correlation 0.871 (90% interval" in sentence.answer(found)


def test_notes_of_many_depths_are_one_sentence_each():
    shared = replace(UNCLEAR, seeds=(0,))
    lone = {"rate_edge": "only", "seeds": (0,)}
    others = [
        depth_result(depth, 0.8, 9.0, to_best=replace(shared, worse=Place(depth)), **lone)
        for depth in range(1, 7)
    ]

    found = recommendation(FULL, *others, recommended=0, best=0)

    assert list(found.notes) == [
        "At depths 1 to 6 a single learning rate was tried.",
        "The best setting of depth 0 was compared with those of depths 1 to 6 on seed 0 alone: "
        "there are no others that both have.",
    ]


def test_the_notes():
    shared = replace(UNCLEAR, seeds=(0,))
    found = recommendation(
        replace(FULL, rate_edge="lowest", optimism=0.0042),
        replace(HALF, rate_edge="highest", seeds=(0,), to_best=shared),
        replace(HEAD, rate_edge="only", seed_deviation=0.02, standard_error=0.015),
        recommended=4,
        best=0,
        failed=("a", "b"),
        places_without_result=(Place(5),),
    )
    alike = replace(found, depths=(replace(found.best, rate_told_apart=False),))
    assert not any("may be better" in note for note in sentence.notes(alike))
    assert list(found.notes) == [
        "At depth 0 the best learning rate, 3e-4, is the lowest tried; a lower one may be better.",
        "At depth 4 the best learning rate, 3e-4, is the highest tried; a higher one may be "
        "better.",
        "At depth 6 no learning rate but 3e-4 was tried.",
        "Depth 5 has no completed trial and is left out.",
        "2 of 24 trials failed; a setting with a failed trial is chosen only where no setting "
        "of its depth is without.",
        "The best setting of depth 0 was compared with that of depth 4 on seed 0 alone: there are "
        "no others that both have.",
        "Most of the uncertainty at depth 6 comes from so few seeds: trying more seeds helps most.",
        "Scores are corrected by up to 0.004 for having picked each depth's best setting on the "
        "same validation examples.",
    ]
