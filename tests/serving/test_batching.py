"""Concurrent requests share turns of the model."""

import asyncio
import threading

import pytest

from tf_finetune.serving.batching import MicroBatcher, OverloadedError
from tf_finetune.sources.records import Record


def records(*texts):
    return [Record(1, text, None, None) for text in texts]


class Model:
    """Answers texts in capitals once it is let."""

    def __init__(self):
        self.go = threading.Event()
        self.batches = []

    def __call__(self, batch):
        self.go.wait(10)
        self.batches.append([record.text for record in batch])
        if any(record.text == "bad" for record in batch):
            raise ValueError("bad")
        return [record.text.upper() for record in batch]


def run(scenario, **limits):
    """Run a scenario with a batcher around a model; give what it returns and the batches."""

    async def all_of_it():
        model = Model()
        options = {"max_batch": 4, "max_waiting": 100} | limits
        batcher = MicroBatcher(model, **options)
        batcher.start()
        result = await scenario(batcher, model)
        model.go.set()
        await batcher.close()
        return result, model.batches

    return asyncio.run(all_of_it())


async def submit_all(batcher, *requests):
    """Submit requests in their order without waiting for their answers."""
    tasks = []
    for texts in requests:
        tasks.append(asyncio.ensure_future(batcher.submit(records(*texts))))
        await asyncio.sleep(0.01)
    return tasks


def test_requests_that_collect_are_computed_together():
    async def scenario(batcher, model):
        tasks = await submit_all(batcher, "a", "b", "cd", "e")
        model.go.set()
        return await asyncio.gather(*tasks)

    answers, batches = run(scenario)

    assert answers == [["A"], ["B"], ["C", "D"], ["E"]]
    assert batches == [["a"], ["b", "c", "d", "e"]]


def test_request_larger_than_a_batch_has_a_turn_of_its_own():
    async def scenario(batcher, model):
        tasks = await submit_all(batcher, "a", "bcdefg", "h")
        model.go.set()
        return await asyncio.gather(*tasks)

    assert run(scenario)[1] == [["a"], list("bcdefg"), ["h"]]


def test_fault_reaches_its_requests_and_no_others():
    async def scenario(batcher, model):
        (bad,) = await submit_all(batcher, ["bad"])
        model.go.set()
        with pytest.raises(ValueError, match="bad"):
            await bad
        return await batcher.submit(records("a"))

    assert run(scenario)[0] == ["A"]


def test_request_that_was_given_up_is_not_computed():
    async def scenario(batcher, model):
        tasks = await submit_all(batcher, "a", "b", "c")
        tasks[1].cancel()
        await asyncio.sleep(0)
        model.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True), batcher.waiting_texts

    (_, waiting), batches = run(scenario)
    assert batches == [["a"], ["c"]] and waiting == 0


def test_no_more_texts_than_may_wait():
    async def scenario(batcher, model):
        tasks = await submit_all(batcher, "ab", "c")
        with pytest.raises(OverloadedError):
            await batcher.submit(records("d"))
        model.go.set()
        await asyncio.gather(*tasks)
        return await batcher.submit(records("e"))

    assert run(scenario, max_waiting=3)[0] == ["E"]


def test_closing_answers_what_was_accepted_and_takes_no_more():
    async def scenario(batcher, model):
        tasks = await submit_all(batcher, "a", "b")
        closing = asyncio.ensure_future(batcher.close())
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError):
            await batcher.submit(records("c"))
        model.go.set()
        await closing
        return [task.result() for task in tasks]

    assert run(scenario)[0] == [["A"], ["B"]]


def test_fault_of_what_counts_batches_ends_no_later_request():
    async def scenario(batcher, model):
        model.go.set()
        counted = batcher._on_batch

        def fail(texts):
            batcher._on_batch = counted
            raise OSError("no more")

        batcher._on_batch = fail
        with pytest.raises(OSError, match="no more"):
            await batcher.submit(records("a"))
        return await asyncio.wait_for(batcher.submit(records("b")), 10)

    assert run(scenario)[0] == ["B"]
