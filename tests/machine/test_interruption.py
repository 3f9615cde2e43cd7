"""A signal raises once, or waits where it is told to."""

import contextlib
import os
import signal
import threading

import pytest

from tf_finetune.machine import interruption
from tf_finetune.machine.interruption import Interrupted


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_raises_with_its_exit_code(number, code):
    with pytest.raises(Interrupted, match=number.name) as caught, interruption.raised():
        send(number)

    assert caught.value.exit_code == code
    assert isinstance(caught.value, KeyboardInterrupt)


def test_second_signal_does_not_disturb_the_cleaning_up():
    cleaned = []
    with pytest.raises(Interrupted, match="SIGINT"), interruption.raised():
        try:
            send(signal.SIGINT)
        finally:
            send(signal.SIGTERM)
            cleaned.append(True)

    assert cleaned


def test_deferred_signal_waits_for_a_check():
    reached = []
    with pytest.raises(Interrupted, match="SIGTERM"), interruption.deferred() as check:
        send(signal.SIGTERM)
        send(signal.SIGTERM)
        reached.append(True)
        check()
        reached.append(False)

    assert reached == [True]


def test_deferred_signal_without_a_check_is_raised_at_the_end():
    with pytest.raises(Interrupted), interruption.deferred():
        send(signal.SIGINT)


def test_exception_that_a_library_swallowed_is_raised_again_at_the_next_check():
    with pytest.raises(Interrupted), interruption.raised():
        with contextlib.suppress(KeyboardInterrupt):
            send(signal.SIGINT)
        with interruption.deferred() as check:
            check()


def test_handlers_are_as_before_afterwards_and_nothing_is_remembered():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted), interruption.raised():
        send(signal.SIGINT)

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    interruption.check()


def test_other_threads_have_regions_without_handlers():
    ended = []

    def work():
        with interruption.raised(), interruption.deferred() as check:
            check()
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended
