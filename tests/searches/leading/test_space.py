"""The `search` section becomes cells, and what contradicts itself is told in one go."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.methods.biases import Biases
from tf_finetune.methods.lora import Lora
from tf_finetune.methods.settings import setting_of
from tf_finetune.results.trial import Cell, Place
from tf_finetune.searches.leading.places import with_one_method
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.space import build_space
from tf_finetune.searches.running.trial_request import TrialRequest

SIZES = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 6,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 10,
    "max_position_embeddings": 8,
    "type_vocab_size": 2,
}
SIX_LAYERS = EncoderFiles("six layers", Path("nowhere"))
SIX_LAYERS.__dict__["own_config"] = SIZES  # in place of its config.json
SIX_LAYERS.__dict__["checkpoint"] = SimpleNamespace(has=lambda variable: True)
STEPS = 650


def space(*overrides):
    return build_space(load_config(None, overrides), SIX_LAYERS, STEPS)


def test_every_depth_gets_rates_around_its_own_typical_one():
    found = space()

    assert found.depths == (0, 1, 2, 3, 4, 5, 6)
    assert found.rates[Place(0)] == (1.7e-5, 5e-5, 1.5e-4)
    assert found.rates[Place(4)] == (1e-4, 3e-4, 9e-4)
    assert found.rates[Place(6)] == (3.3e-4, 1e-3, 3e-3)


def test_few_steps_are_larger():
    assert build_space(load_config(None, ()), SIX_LAYERS, 96).rates[Place(0)] == (
        5e-5,
        1.5e-4,
        4.5e-4,
    )


def test_every_method_gets_rates_of_its_own():
    found = space("search.methods=full,biases", "search.depths=4-6")

    assert found.methods == ("full", "biases")
    assert found.places[:3] == (Place(6), Place(5, "full"), Place(5, "biases"))
    assert found.rates[Place(4, "full")] == (1e-4, 3e-4, 9e-4)
    assert found.rates[Place(4, "biases")] == (1e-3, 3e-3, 9e-3)
    assert found.rates[Place(6)] == (3.3e-4, 1e-3, 3e-3)  # of pooler and head, under any method
    cell = found.cells()[-1]
    assert (cell.place, cell.place_words) == (Place(4, "biases"), "4, biases")
    assert found.holds(cell) and not found.holds(Cell(4, cell.learning_rate))


def test_a_method_may_bring_rates_of_its_own():
    own = "{name: lora, rank: 4, learning_rates: [3e-3, 1e-3], learning_rates_by_depth: {2: [0.1]}}"
    found = space(
        *("search.depths=2,4,6", f"search.methods=[full, {own}, biases]", "search.oracle=grid"),
        *("search.learning_rates=[1e-4]", "search.learning_rates_by_depth={2: [1e-5], 6: [1e-2]}"),
    )

    lora = found.methods[1]
    assert setting_of(lora) == Lora(rank=4)  # rates are no part of what is compared
    assert {place: rates for place, rates in found.rates.items() if place.method == lora} == {
        Place(2, lora): (0.1,),
        Place(4, lora): (1e-3, 3e-3),
    }
    assert found.rates[Place(2, "full")] == found.rates[Place(2, "biases")] == (1e-5,)
    assert found.rates[Place(4, "full")] == (1e-4,)
    assert found.rates[Place(6)] == (1e-2,)
    assert found.holds(Cell(4, 3e-3, {"method": lora}))
    assert not found.holds(Cell(4, 3e-3, {"method": "full"}))


def test_rates_of_a_method_where_it_is_not_tried_are_refused():
    own = "{name: lora, learning_rates_by_depth: {3: [0.1], 6: [0.1]}}"
    for others in ("full, ", ""):
        with pytest.raises(UserError) as caught:
            space("search.depths=2,6", f"search.methods=[{others}{own}]")
        assert caught.value.problems == [
            "search.methods, lora: learning_rates_by_depth: received rates of depth 3, 6, at which "
            "it is not tried; accepted: 2 (where the head alone trains, all methods are one: "
            "search.learning_rates_by_depth)"
        ]


def test_where_the_head_alone_trains_methods_are_tried_once():
    found = build_space(
        load_config(None, ["search.methods=full,biases", "search.depths=5,6"]), MEAN, STEPS
    )

    assert found.places == (Place(6), Place(5, "full"), Place(5, "biases"))
    assert found.place_of(6, "biases") == Place(6)


def test_settings_of_a_method_are_told_apart_and_their_options_checked():
    four = '{"name": "lora", "rank": 4'
    found = space("search.depths=5", "search.methods=[lora, {name: lora, rank: 4}]")
    with pytest.raises(UserError) as caught:
        space("search.methods=[full, {name: lora, rank: 4000}]")

    assert found.methods[1].startswith(four) and setting_of(found.methods[1]) == Lora(rank=4)
    assert {cell.place_words for cell in found.cells()} == {"5, lora", "5, lora rank=4"}
    (problem,) = caught.value.problems
    assert problem.startswith("search.methods, lora rank=4000: rank: received 4000; accepted: up")


def test_a_method_that_trains_nothing_is_refused():
    rules = "freeze.rules=[{train: false, parts: [bias]}]"

    with pytest.raises(UserError) as caught:
        space("search.methods=full,biases", "search.depths=4,6", rules)

    assert caught.value.problems == [
        "search.methods: received biases, which trains nothing at depth 4 but the head; accepted: "
        "methods that train something there, or other search.depths"
    ]


@pytest.mark.parametrize("depths", ["0,2-4", "[0, 2, 3, 4]", "2-4,0,3"])
def test_depths_are_ranges_or_a_list(depths):
    assert space(f"search.depths={depths}").depths == (0, 2, 3, 4)


def test_cells_begin_with_the_cheapest_depth_and_keep_depths_together():
    found = space("search.depths=0,6", "search.learning_rates=[1e-3, 1e-4]")

    assert found.cells() == [Cell(6, 1e-4), Cell(6, 1e-3), Cell(0, 1e-4), Cell(0, 1e-3)]


def test_further_dimensions_multiply_the_cells_and_what_needs_a_trace_changes_last():
    found = space(
        "search.depths=2",
        "search.learning_rates=[1e-3]",
        "search.batch_sizes=[16, 32]",
        "search.weight_decays=[0, 0.1]",
    )

    assert [dict(cell.extra) for cell in found.cells()] == [
        {"training.weight_decay": 0.0, "training.batch_size": 16},
        {"training.weight_decay": 0.0, "training.batch_size": 32},
        {"training.weight_decay": 0.1, "training.batch_size": 16},
        {"training.weight_decay": 0.1, "training.batch_size": 32},
    ]


def test_rates_of_single_depths_go_before_those_of_all():
    found = space(
        "search.oracle=random",
        "search.depths=0,2,4",
        "search.learning_rates=[1e-3]",
        "search.learning_rates_by_depth={2: [3e-3, 1e-4]}",
        "search.learning_rate_ranges_by_depth={4: [1e-4, 1e-2]}",
    )

    assert found.rates == {
        Place(0): (1e-3,),
        Place(2): (1e-4, 3e-3),
        Place(4): RateRange(1e-4, 1e-2),
    }
    assert not found.is_finite


def test_a_grid_cuts_a_range_into_half_decades():
    assert space("search.learning_rate_range=[1e-5, 1e-3]").rates_at(Place(0)) == (
        1e-5,
        3.2e-5,
        1e-4,
        3.2e-4,
        1e-3,
    )


def test_one_step_beyond_an_edge_is_as_wide_as_the_step_before_it():
    found = space("search.learning_rates=[1e-4, 2e-4, 1e-3]")

    assert found.rate_beyond(Place(0), 1e-3, upwards=True) == 5e-3
    assert found.rate_beyond(Place(0), 1e-4, upwards=False) == 5e-5
    assert found.rate_beyond(Place(0), 9.0, upwards=True) is None


def test_a_race_may_end_after_fewer_trials_than_it_has_cells():
    found = space("search.depths=4", "search.max_trials=1")

    assert (found.max_cells, found.max_trials) == (3, 1)


def test_other_oracles_explore_as_many_cells_as_their_seeds_leave_room_for():
    assert space("search.oracle=random").max_cells == 12
    assert space("search.oracle=bayesian", "search.max_trials=9").max_cells == 4


def test_a_search_has_no_phases():
    with pytest.raises(UserError, match=r"freeze\.thaw: received 1 phase\(s\), and a search comp"):
        space("freeze.depth=2", "freeze.thaw=[{from_epoch: 2, depth: 1}]")


def test_all_depths_leave_layers_alone_that_begin_anew():
    assert space("training.reinitialise_top=2").depths == (0, 1, 2, 3, 4)
    with pytest.raises(UserError, match=r"at depth 5: training\.reinitialise_top: received 2 with"):
        space("training.reinitialise_top=2", "search.depths=4,5")


def test_all_contradictions_are_told_at_once():
    with pytest.raises(UserError) as caught:
        space(
            "search.depths=0,9",
            "search.learning_rates=[1e-3, 1e-4]",
            "search.learning_rates_by_depth={5: [1e-3]}",
            "search.oracle=grid",
            "search.max_trials=3",
            "search.batch_sizes=[3]",
            "training.accumulation_steps=2",
            "search.rule_sets={none: [{train: false}]}",
        )

    assert caught.value.problems == [
        "search.depths: received 0,9; accepted: 0 to 6, the number of layers of this encoder",
        "search.learning_rates_by_depth: received rates of depth 5, which is not tried; "
        "accepted: 0",
        "search.batch_sizes: received 3; accepted: multiples of training.accumulation_steps, 2",
        "search.rule_sets, none at depth 0: freeze: every variable is frozen; accepted: at least "
        "the head trains",
        "search.max_trials: received 3, but the grid has 2 cells x 2 seed(s) = 4 trials; "
        "accepted: at least 4, or search.oracle=random",
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "search.learning_rates=[0]",
            r"learning_rates\[0\].*received 0; accepted: a number above 0",
        ),
        ("search.learning_rates=[]", "received .*accepted: one or more numbers above 0"),
        ("search.seeds=[1, 1]", "different values, but 1 is there twice"),
        ("search.learning_rate_range=[1e-3, 1e-5]", "the lower and then the higher end"),
        ("search.time_budget=0s", "a time such as 90s, 20m or 1h30m"),
        ("search.depths=4-2", "ranges that go upwards, such as 2-4"),
        (
            "search.methods=[full, biasses]",
            r"methods\[1\].*biasses; nearest: biases; accepted: full",
        ),
        ("search.methods=[full, {name: full}]", "different settings, but {name: full} is there"),
        (
            "search.methods=[{name: full, rank: 3}]",
            "rank.*accepted: learning_rates, learning_rates_by_depth with name=full",
        ),
        ("search.methods=[full, {name: full, learning_rates: [1]}]", "{name: full} is there twice"),
        (
            "search.methods=[{name: lora, learning_rates: [0]}]",
            r"methods\[0\].learning_rates\[0\].*received 0; accepted: a number above 0",
        ),
        (
            "search.methods=[{name: lora, learning_rates_by_depth: {two: [1]}}]",
            r"methods\[0\].learning_rates_by_depth.*accepted",
        ),
    ],
)
def test_wrong_values_are_refused_where_they_stand(override, message):
    with pytest.raises(UserError, match=message):
        load_config(None, [override])


def test_rates_as_list_and_as_range_contradict_each_other():
    with pytest.raises(UserError, match="received beside search.learning_rates"):
        load_config(None, ["search.learning_rates=[1e-3]", "search.learning_rate_range=[1e-4, 1]"])


def test_a_request_configures_its_run():
    config = load_config(
        None,
        [
            "search.rule_sets={biases: [{train: false, parts: [attention]}]}",
            "freeze.rules=[{train: false, parts: [pooler]}]",
        ],
    )
    extra = {"search.rule_sets": "biases", "training.batch_size": 16}
    request = TrialRequest(Cell(4, 3e-4, tuple(extra.items())), seed=7, epochs=2)

    configured = request.configure(config)

    assert configured.freeze.depth == 4
    assert [rule.parts for rule in configured.freeze.rules] == [("attention",), ("pooler",)]
    training = configured.training
    assert (training.learning_rate, training.seed, training.epochs) == (3e-4, 7, 2)
    assert training.batch_size == 16
    assert TrialRequest.from_text(request.to_text()) == request


def test_a_cell_of_a_method_is_configured_with_all_of_its_options():
    request = TrialRequest(Cell(4, 3e-4, (("method", "biases"),)), 0, 3)

    configured = request.configure(load_config(None, []))

    assert configured.method == Biases()
    assert request.key == "depth=4 learning_rate=3e-4 method=biases seed=0 epochs=3"
    assert TrialRequest.from_text(request.to_text()).configure(load_config(None, [])) == configured


def test_one_method_alone_is_that_of_the_configuration():
    alone = with_one_method(load_config(None, ["search.methods=biases"]))
    two = load_config(None, ["search.methods=biases,full"])

    assert (alone.method, alone.search.methods) == (Biases(), ())
    assert with_one_method(two) is two


def test_one_method_alone_keeps_its_rates():
    given = load_config(None, ["search.methods=[{name: biases, learning_rates: [1e-2]}]"])
    alone = with_one_method(given)

    assert alone.method == Biases()
    assert with_one_method(alone) == alone
    found = build_space(alone, SIX_LAYERS, STEPS)
    assert found.methods == ()
    assert found.rates[Place(4)] == (1e-2,)
    assert found.rates[Place(6)] == (3.3e-4, 1e-3, 3e-3)


def test_folder_names_are_short_and_differ_where_requests_do():
    plain = TrialRequest(Cell(4, 3e-4), 0, 3)
    strange = [
        TrialRequest(Cell(4, 3e-4, (("search.rule_sets", name),)), 0, 3) for name in ("a/b", "a:b")
    ]

    assert plain.folder_name(3) == "depth4-lr3e-4-seed0"
    assert plain.folder_name(9) == "depth4-lr3e-4-seed0-epochs3"
    names = {request.folder_name(3) for request in strange}
    assert len(names) == 2
    assert not any("/" in name or ":" in name for name in names)


MEAN = EncoderFiles("six layers", Path("nowhere"), wanted_pooling="mean")
MEAN.__dict__["own_config"] = SIZES


def mean_space(*overrides):
    return build_space(load_config(None, overrides), MEAN, STEPS)


def mean_problems(*overrides):
    with pytest.raises(UserError) as caught:
        mean_space("training.solver=exact", *overrides)
    return caught.value.problems


def test_a_head_that_trains_alone_is_one_cell_without_a_rate():
    found = mean_space("search.depths=4,6", "search.learning_rates=[1e-3]", "training.epochs=9")

    assert found.cells() == [Cell(6, None), Cell(4, 1e-3)]
    assert [found.is_solved(Place(depth)) for depth in found.depths] == [False, True]
    assert [found.seeds_of(cell) for cell in found.cells()] == [(0,), (0, 1)]
    assert found.holds(Cell(6, None)) and found.holds(Cell(4, 1e-3))
    for other in (Cell(4, None), Cell(6, 1e-3), Cell(5, None)):
        assert not found.holds(other)


def test_a_solved_head_has_no_dimensions_but_those_that_it_heeds():
    found = mean_space(
        "search.depths=4,6",
        "search.methods=[full, biases]",
        "search.batch_sizes=[16, 32]",
        "search.weight_decays=[0.01, 0.1]",
    )

    assert found.cells()[:2] == [
        Cell(6, None, (("training.weight_decay", decay),)) for decay in (0.01, 0.1)
    ]
    assert found.cells()[2].frozen_depth == 4


@pytest.mark.parametrize(
    "overrides",
    [
        ("training.solver=steps",),
        ("search.learning_rates_by_depth={6: [1e-3]}",),
        ("search.learning_rate_ranges_by_depth={6: [1e-3, 1e-2]}",),
        ("search.depths=6", "search.learning_rates=[1e-3]"),  # rates of no other depth
        ("search.depths=6", "training.epochs=9"),
        ("search.depths=6", "search.batch_sizes=[16]"),
        ("search.rule_sets={all: [], no bias: [{train: false, pattern: classifier/bias}]}",),
    ],
)
def test_where_options_ask_for_steps_the_head_is_not_solved(overrides):
    found = mean_space(*overrides)

    assert not found.is_solved(Place(6))
    assert all(cell.learning_rate for cell in found.cells())


def test_a_pooler_that_trains_keeps_the_steps():
    assert not space().is_solved(Place(6))


def test_a_pooler_that_would_stay_random_is_not_frozen(monkeypatch):
    lacks = SimpleNamespace(has=lambda variable: variable.part != "pooler")
    monkeypatch.setitem(SIX_LAYERS.__dict__, "checkpoint", lacks)

    with pytest.raises(UserError) as error:
        space("freeze.rules=[{train: false, parts: [pooler]}]", "search.depths=6")

    assert error.value.problems == [
        "at depth 6: freeze.rules: would freeze bert/pooler/dense/kernel, bert/pooler/dense/bias, "
        "which the checkpoint does not have, so that it would stay random; accepted: rules that "
        "let it train, or encoder.pooling=mean, which passes it by"
    ]


def test_exact_is_refused_where_more_trains_or_an_option_would_be_passed_over():
    assert mean_problems("search.depths=4,6") == [
        "training.solver: received exact, which solves the head alone, and at depth 4 more would "
        "train; accepted: auto, which solves it where it is alone, or steps"
    ]
    assert mean_problems("search.depths=6", "search.batch_sizes=[16]", "training.epochs=9") == [
        f"{name}: received with training.solver=exact, which has no use for it; accepted: leave "
        "it out, or training.solver=steps"
        for name in ("search.batch_sizes", "training.epochs")
    ]


def test_most_trials_count_a_solved_head_once():
    options = ("search.oracle=grid", "search.depths=4,6", "search.learning_rates=[1e-3]")

    assert mean_space(*options, "search.max_trials=3").max_cells == 2
    with pytest.raises(UserError, match=r"2 cells x 2 seed\(s\) = 3 trials"):
        mean_space(*options, "search.max_trials=2")


def test_a_solved_cell_is_configured_as_train_takes_it():
    overrides = ("training.epochs=9", "training.clip_norm=5", "training.weight_decay=0.1")
    config = load_config(None, overrides)
    request = TrialRequest(Cell(6, None, (("training.weight_decay", 0.2),)), 3, 9)

    found = request.configure(config)

    usual = load_config(None, ()).training
    decided = {"solver": "exact", "seed": 3, "weight_decay": 0.2}
    assert found.training == usual.model_copy(update=decided)
    assert found.freeze.depth == 6
    assert request.folder_name(9) == "depth6-exact-training.weight_decay=0.2-seed3".replace(
        "training.", ""
    )
    assert request.key == "depth=6 solver=exact training.weight_decay=0.2 seed=3 epochs=9"
    assert TrialRequest.from_text(request.to_text()) == request


def test_a_cell_with_a_rate_is_trained_in_steps():
    config = load_config(None, ())

    found = TrialRequest(Cell(6, 1e-3), 0, 2).configure(config).training

    assert (found.solver, found.learning_rate, found.epochs) == ("steps", 1e-3, 2)
