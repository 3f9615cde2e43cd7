from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.methods.prefix_tuning import PrefixTuning

SIZES = {"vocab_size": 30, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 12}
GPT2 = FAMILIES["gpt2"].variables(SIZES, num_labels=3)


def test_keys_and_values_are_as_wide_as_a_state_where_three_products_are_one():
    matrices = [v for v in GPT2 if v.kind == "kernel" and v.layers]
    added = [v for m in matrices for v in PrefixTuning(length=5).added(m)]

    assert [(v.name, v.shape) for v in added] == [("prefix_key", (5, 8)), ("prefix_value", (5, 8))]


def test_two_products_of_attention_are_longer_and_no_other():
    family, method = FAMILIES["gpt2"], PrefixTuning(length=3)
    sizes = family.sizes(SIZES)
    longer = {}
    for product in family.products(sizes, 0, 6, 1):
        own = [p for p in method.products(product, {}) if p.trained]
        longer |= {product.name: sum(p.flops for p in own)} if own else {}

    # One query, three keys or values, eight units.
    assert longer == {"scores": 2 * 3 * 8, "context": 2 * 3 * 8}
