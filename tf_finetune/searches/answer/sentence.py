"""A recommendation in words that somebody who knows no statistics can act on."""

from collections.abc import Sequence
from dataclasses import replace

from tf_finetune.results.recommendation import DepthComparison, DepthResult, Recommendation
from tf_finetune.results.tolerance import has_range
from tf_finetune.results.trial import Place
from tf_finetune.searches.answer.depth_evidence import EQUAL_COST
from tf_finetune.searches.answer.place_words import (
    depths,
    doing,
    listed,
    lower_first,
    plain_depths,
    rate_words,
    setting,
    upper_first,
)

_METRIC_NAMES = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "mcc": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "strict_f1": "strict entity F1",
    "lenient_f1": "lenient entity F1",
    "word_accuracy": "accuracy of words",
    "token_f1": "token F1",
    "exact_match": "exact match",
    "relation_f1": "macro F1 of relations",
}
# More than this is not a plan that anybody would carry out.
_MANY_EXAMPLES = 1_000_000
_MANY_SEEDS = 1_000


def in_words(found: Recommendation) -> Recommendation:
    """The recommendation with its sentences."""
    return replace(
        found,
        answer=answer(found),
        certainty=certainty(found),
        alternatives=tuple(alternatives(found)),
        notes=tuple(notes(found)),
    )


def answer(found: Recommendation) -> str:
    """What to do, what it scores, and at what price."""
    chosen = found.recommended
    clauses = [f"{setting(found, chosen)}: {_score_with_interval(found, chosen)}"]
    if len(found.depths) == 1:
        clauses.append("the only depth with a result")
    elif chosen is not found.best:
        clauses.append(_against_best(found))
    else:
        tried = "combinations of method and depth" if found.methods else "depths"
        clauses.append(f"the best of the {len(found.depths)} {tried} tried")
    price = _price(found, chosen)
    if price:
        clauses.append(price)
    if chosen.cell.layers_used is not None and chosen.relative_answer is not None:
        work = f"{chosen.relative_answer:.0%} of the work of all {found.num_layers} layers"
        clauses.append(f"answering a text with {work}")
    text = ", ".join(clauses)
    if chosen is found.best and any(
        result.seconds_per_epoch < chosen.seconds_per_epoch / EQUAL_COST for result in found.depths
    ):
        text += _no_cheaper(found)
    return text + "."


def _against_best(found: Recommendation) -> str:
    """What the recommended depth loses against the best one, with its interval."""
    best = f"{doing(found, found.best_place)}, {_number(found.best.score)}"
    if found.loss is None:
        raise ValueError("a depth that is not the best has a loss")
    points = has_range(found.metric)
    lost, low, high = (
        f"{100 * value:.1f}" if points else _number(value)
        for value in (found.loss.expected, found.loss.low, found.loss.high)
    )
    side = "below" if found.higher_is_better else "above"
    unit = " points" if points else ""
    interval = f"{100 * found.confidence:.3g}% interval"
    if found.loss.expected <= 0.0:  # all trials together expect less of what scored best
        end = "worse" if found.loss.high > 0.0 else "better"
        between = f"{low.removeprefix('-')}{unit} better to {high.removeprefix('-')} {end}"
        return f"expected to be no worse than the best score ({best}; {interval} {between})"
    return f"{lost}{unit} {side} the best ({best}; {interval} {low} to {high})"


def _no_cheaper(found: Recommendation) -> str:
    if found.rule == "best":
        return ""
    if found.rule == "one_standard_error":
        return "; no cheaper depth comes within one standard error of it"
    return f"; no cheaper depth is shown to lose less than {_number(found.tolerance)}"


def certainty(found: Recommendation) -> str:
    """Which depths the evidence tells apart, and what it would take to tell the others."""
    pairs = [result.to_best for result in found.depths if result.to_best]
    if found.methods:  # within the best method, and of the others the best and what is recommended
        told = {found.recommended_place, *_best_of_methods(found)}
        pairs = [p for p in pairs if p.worse in told or p.worse.method == found.best_place.method]
    if not pairs:
        text = "With one depth there is nothing to compare."
    else:
        text = _separation(found, pairs) + "."
    trained = [result for result in found.depths if not result.cell.is_solved]
    if trained and all(len(result.seeds) == 1 for result in trained):
        text += " Only one seed was tried, so none of this covers chance in training."
    if found.chance_right is not None:
        text += (
            f" The race gives it a probability of {_percent(found.chance_right)} to be within "
            f"{_number(found.tolerance)} of the best of all that could be tried."
        )
    return text


def _best_of_methods(found: Recommendation) -> list[Place]:
    sign = 1.0 if found.higher_is_better else -1.0
    best: dict[str | None, DepthResult] = {}
    for result in sorted(found.depths, key=lambda result: -sign * result.score):
        best.setdefault(result.place.method, result)
    return [result.place for result in best.values()]


def alternatives(found: Recommendation) -> list[str]:
    """The best score, and the cheapest depth that surely loses little."""
    best, acceptable = found.best, found.acceptable
    loss = f"{_number(found.tolerance)} of {_metric_name(found)}"
    if acceptable is best:
        cheaper = any(depth.seconds_per_epoch < best.seconds_per_epoch for depth in found.depths)
        text = f"No cheaper depth is shown to lose less than {loss} against the best."
        text = text if cheaper else ""
    else:
        text = (
            f"Cheapest that is shown to lose less than {loss} against the best: "
            f"{lower_first(setting(found, acceptable))}, {_number(acceptable.score)}"
        )
        price = _price(found, acceptable)
        text += f", {price}." if price else "."
    line = f"Best score: {lower_first(setting(found, best))}, {_score_with_interval(found, best)}."
    return [line, text] if text else [line]


def notes(found: Recommendation) -> list[str]:
    """What to know before acting, a sentence each."""
    lines = [line for result in found.depths if (line := _edge_note(found, result))]
    lines += filter(None, [_lone_rates_note(found)])
    lines += [
        f"{upper_first(depths(found, [place]))} has no completed trial and is left out."
        for place in found.places_without_result
    ]
    if found.failed:
        lines.append(
            f"{len(found.failed)} of {found.num_trials} trials failed; a setting with a failed "
            "trial is chosen only where no setting of its depth is without."
        )
    lines += _seeds_notes(found)
    few = [result.place for result in found.depths if _seeds_dominate(result)]
    if few:
        lines.append(
            f"Most of the uncertainty at {depths(found, few)} comes from so few seeds: trying more "
            "seeds helps most."
        )
    solved = [result.place for result in found.depths if result.cell.is_solved]
    if solved:
        lines.append(
            f"At {plain_depths(solved)} the head alone trains and is solved exactly: there is no "
            "learning rate, and every seed gives the same. Its time per epoch is that of the whole "
            "solution, over as many epochs as the others train."
        )
    reference = found.reference_place
    if reference.depth != 0:
        lines.append(
            "Full fine-tuning (depth 0) has no result: times and memory in the table are "
            f"relative to {depths(found, [reference])}."
        )
    elif found.methods:
        lines.append(f"Times and memory in the table are relative to {depths(found, [reference])}.")
    optimism = max(result.optimism for result in found.depths)
    if float(_number(optimism)) > 0.0:
        lines.append(
            f"Scores are corrected by up to {_number(optimism)} for having picked each depth's "
            f"best setting on the same {'validation ' if found.folds is None else ''}examples."
        )
    return lines


def _separation(found: Recommendation, pairs: Sequence[DepthComparison]) -> str:
    best = depths(found, [found.best_place])
    separated = [pair for pair in pairs if pair.separated]
    unclear = [pair for pair in pairs if not pair.separated]
    leads = [pair for pair in unclear if pair.difference > 0.0]
    what = "methods and depths" if found.methods else "depths"
    if separated:
        text = (
            f"The evidence shows that {best} is better than "
            f"{depths(found, [pair.worse for pair in separated])} ({_p_value(separated)})"
        )
        if unclear:
            others = depths(found, [pair.worse for pair in unclear])
            text += f" but not that it is better than {others}"
    elif leads:
        text = (
            f"The evidence does not separate the {what}: {best} scores best, but its lead "
            f"over {depths(found, [pair.worse for pair in unclear])} may be chance"
        )
    else:
        text = (
            f"The evidence does not separate the {what}: "
            f"{depths(found, [found.best_place, *(pair.worse for pair in unclear)])} score the same"
        )
    if leads:
        # The pair that the recommendation rests on, else the one that is easiest to tell.
        pair = max(leads, key=lambda p: (p.worse == found.recommended_place, p.difference))
        two = found.best_place, pair.worse
        one, other = (depths(found, [p]) if found.methods else str(p.depth) for p in two)
        text += f"; telling {one} and {other} apart would take {_effort(found, pair)}"
    return text


def _effort(found: Recommendation, pair: DepthComparison) -> str:
    """How many examples or seeds would separate two depths."""
    kind = "validation examples" if found.folds is None else "training examples"
    examples = _examples(pair.examples_needed, found.num_examples, kind)
    if all(found.at(*place).cell.is_solved for place in (pair.better, pair.worse)):
        return examples or f"more {kind}"  # of each head every seed gives the same
    if not pair.seeds_are_paired:
        return "seeds that both have"
    if len(pair.seeds) == 1:
        second = "a second seed to see how much training varies by chance"
        return f"{examples}, and {second}" if examples else second
    seeds = _seeds(pair.seeds_needed, len(pair.seeds))
    if examples and seeds:
        return f"{examples} or {seeds}"
    if examples:
        return f"{examples}; more seeds alone would not do"
    if seeds:
        return f"{seeds}; more {kind} alone would not do"
    return f"both more {kind} and more seeds"


def _examples(needed: int | None, now: int, kind: str) -> str:
    if needed is None:
        return ""
    if needed > _MANY_EXAMPLES:
        return f"over a million {kind}"
    return f"about {int(float(f'{needed:.2g}')):,} {kind} ({now:,} now)"


def _seeds(needed: int | None, now: int) -> str:
    if needed is None:
        return ""
    return "over a thousand seeds" if needed > _MANY_SEEDS else f"{needed} seeds ({now} now)"


def _edge_note(found: Recommendation, result: DepthResult) -> str:
    at_an_edge = result.rate_edge in ("lowest", "highest") and result.rate_told_apart
    if result.cell.learning_rate is None or not at_an_edge:
        return ""
    rate = rate_words(result.cell.learning_rate)
    direction = "lower" if result.rate_edge == "lowest" else "higher"
    return (
        f"At {depths(found, [result.place])} the best learning rate, {rate}, is the "
        f"{result.rate_edge} tried; a {direction} one may be better."
    )


def _lone_rates_note(found: Recommendation) -> str:
    """Where a single learning rate was tried."""
    lone = {r.place: r.cell.learning_rate for r in found.depths if r.rate_edge == "only"}
    rates = [rate for rate in lone.values() if rate is not None]
    if len(rates) == 1:
        return (
            f"At {depths(found, list(lone))} no learning rate but {rate_words(rates[0])} was tried."
        )
    return f"At {depths(found, list(lone))} a single learning rate was tried." if rates else ""


def _seeds_notes(found: Recommendation) -> list[str]:
    """Which depths were compared with the best on fewer seeds than they have, or on none."""
    alike: dict[tuple[int, ...], list[Place]] = {}
    for result in found.depths:
        pair = result.to_best
        if pair is not None and set(result.seeds) != set(found.best.seeds):
            seeds = pair.seeds if pair.seeds_are_paired else ()
            alike.setdefault(seeds, []).append(result.place)
    lines = []
    for seeds, places in alike.items():
        those = f"{'those' if len(places) > 1 else 'that'} of {depths(found, places)}"
        best = f"The best setting of {depths(found, [found.best_place])}"
        plural = "seeds" if len(seeds) > 1 else "seed"
        lines.append(
            f"{best} was compared with {those} on {plural} {listed(seeds)} alone: there are no "
            "others that both have."
            if seeds
            else f"{best} and {those} share no seed, so their comparison does not cover chance in "
            "training."
        )
    return lines


def _seeds_dominate(result: DepthResult) -> bool:
    if result.seed_deviation is None or len(result.seeds) > 3:
        return False
    return result.seed_deviation**2 / len(result.seeds) > result.standard_error**2 / 2


def _price(found: Recommendation, result: DepthResult) -> str:
    """Its time against one that a reader knows, or nothing where there is none."""
    against = found.price_against(result)
    if against is None or not result.relative_time or not against.relative_time:
        return ""
    ratio = result.relative_time / against.relative_time
    whole = against.depth == 0 and not found.methods
    reference = "full fine-tuning" if whole else doing(found, against.place)
    if against.place == found.best_place and not whole:
        reference = "the best"
    # What is solved has no epochs: the ratio is that of all that the two take.
    each = "" if result.cell.is_solved or against.cell.is_solved else " per epoch"
    text = f"{_ratio_words(ratio, each)} {reference}"
    if found.methods and result.relative_memory and against.relative_memory:
        memory = result.relative_memory / against.relative_memory
        if not 1 / EQUAL_COST < memory < EQUAL_COST:
            text += f" with {memory:.0%} of its memory"
    return text


def _ratio_words(ratio: float, each: str) -> str:
    if ratio > EQUAL_COST:
        return f"{ratio:.2g}x as expensive{each} as"
    if ratio > 1 / EQUAL_COST:
        return f"as expensive{each} as"
    if ratio > 1 / 1.5:
        return f"{1 - ratio:.0%} cheaper{each} than"
    cheaper = 1 / ratio
    return f"{cheaper:{'.1f' if cheaper < 10 else ',.0f'}}x cheaper{each} than"


def _score_with_interval(found: Recommendation, result: DepthResult) -> str:
    low, high = _number(result.low), _number(result.high)
    interval = f"{100 * found.confidence:.3g}% interval {low} to {high}"
    text = f"{_metric_name(found)} {_number(result.score)}"
    if found.folds is None:
        return f"{text} ({interval})"
    return f"out-of-fold {text} ({interval}, {found.folds} folds)"


def _metric_name(found: Recommendation) -> str:
    return _METRIC_NAMES.get(found.metric, found.metric)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}"


def _percent(probability: float) -> str:
    """In whole percent; what was never drawn is not certain."""
    return f"{min(max(round(100 * probability), 1), 99)} %"


def _p_value(pairs: Sequence[DepthComparison]) -> str:
    p_value = max(pair.adjusted_p_value for pair in pairs)
    if p_value < 0.001:
        return "p < 0.001"
    return f"p {'=' if len(pairs) == 1 else 'at most'} {p_value:.2g}"
