"""What a device reaches in one large product and in one large pass over its memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

_DTYPES = ("float32", "bfloat16", "float16")
_REPEATS = 10


@dataclass(frozen=True)
class Rates:
    """The two lines of a roofline (Williams, Waterman & Patterson 2009), measured.

    Attributes:
        products: FLOP/s by dtype.
        bandwidth: Bytes/s of memory, read and written.
    """

    products: dict[str, float]
    bandwidth: float

    def shortest(self, flops: float, moved: float, precision: str) -> float:
        """Seconds that a step cannot go below at these rates."""
        return max(flops / self.of_products(precision), moved / self.bandwidth)

    def of_products(self, precision: str) -> float:
        """FLOP/s of products in a precision such as mixed_bfloat16."""
        return self.products.get(precision.removeprefix("mixed_"), self.products["float32"])


def measure_rates() -> Rates:
    """Rates of the first device: the best of some tries."""
    large = jax.devices()[0].platform != "cpu"
    side, numbers = (8192, 2**27) if large else (1024, 2**24)
    products = {name: 2 * side**3 / _product_seconds(side, name) for name in _DTYPES}
    # In place: what is timed is the pass, not that new memory is made ready.
    pass_over = jax.jit(lambda x: x + 1, donate_argnums=0)
    seconds = _best_seconds(pass_over, jax.numpy.zeros(numbers, "float32"), in_place=True)
    return Rates(products, 2 * 4 * numbers / seconds)


def _product_seconds(side: int, dtype: str) -> float:
    return _best_seconds(jax.jit(lambda x: x @ x), jax.numpy.ones((side, side), dtype))


def _best_seconds(
    function: Callable[[Any], Any], argument: Any, *, in_place: bool = False
) -> float:
    result = function(argument).block_until_ready()
    seconds = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        result = function(result if in_place else argument).block_until_ready()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
