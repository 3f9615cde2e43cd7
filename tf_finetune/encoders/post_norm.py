"""What a layer multiplies whose attention and feed-forward part are normalised after the sum.

That is a layer of Vaswani et al. 2017, "Attention is all you need"; `blocks` computes it.
"""

from tf_finetune.encoders.family import Product, Sizes


def post_norm_products(sizes: Sizes, tokens: int, queries: int) -> tuple[Product, ...]:
    """The steps of a layer for one text; see `Family.products`.

    Keys and values are computed of all tokens, everything else of the queries alone.
    """
    square = 2 * queries * sizes.hidden**2
    of_all = 2 * tokens * sizes.hidden**2
    attention = 2 * queries * tokens * sizes.hidden
    inner = 2 * queries * sizes.hidden * sizes.inner
    below = (("input",),)
    return (
        Product("query", square, below),
        Product("key", of_all, below),
        Product("value", of_all, below),
        Product("scores", attention, (("query",), ("key",))),
        Product("context", attention, (("scores",), ("value",))),
        Product("attention_output", square, (("context",),)),
        Product("attention_norm", 0, (("attention_output", "input"),)),
        Product("up", inner, (("attention_norm",),)),
        Product("down", inner, (("up",),)),
        Product("output_norm", 0, (("down", "attention_norm"),)),
    )
