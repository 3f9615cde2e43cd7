"""Models are timed a step at a time, in turn, and give the losses of their batches."""

from tf_finetune.training.step_timing import STEPS, TIMED_STEPS, time_in_turn


class Model:
    """Notes who is asked when."""

    def __init__(self, name, asked):
        self.name, self.asked = name, asked

    def step_losses(self, batches):
        for loss in batches:
            self.asked.append(self.name)
            yield loss


def test_each_model_takes_every_step_and_they_take_turns_at_going_first():
    asked = []
    models = [Model("a", asked), Model("b", asked)]

    first, second = time_in_turn(models, [range(STEPS), range(10, 10 + STEPS)])

    assert first.losses == tuple(range(STEPS))
    assert second.losses == tuple(range(10, 10 + STEPS))
    assert len(first.seconds) == len(second.seconds) == TIMED_STEPS
    assert first.median in first.seconds
    pairs = ["".join(asked[place : place + 2]) for place in range(0, 2 * STEPS, 2)]
    assert pairs[:4] == ["ba", "ab", "ba", "ab"]
