"""How the library's model of questions is asked, for a model card."""

from tf_finetune.tasks.spans.span_rows import MOST_TOKENS

# The library's own pipeline for it is gone in its version 5.
CARD_CODE = f"""\
question, context = "Where is Rome?", "Rome lies on the Tiber, in Italy."
tokens = tokenizer(
    question, context, truncation="only_second", return_offsets_mapping=True, return_tensors="pt"
)
places = tokens.pop("offset_mapping")[0].tolist()
of_context = torch.tensor([part == 1 for part in tokens.sequence_ids(0)])
with torch.no_grad():
    found = model(**tokens)
start, end = (
    one[0].masked_fill(~of_context, float("-inf")) for one in (found.start_logits, found.end_logits)
)
spans = start[:, None] + end  # of up to {MOST_TOKENS} tokens
allowed = torch.ones_like(spans, dtype=torch.bool).triu().tril({MOST_TOKENS - 1})
first, last = divmod(int(spans.masked_fill(~allowed, float("-inf")).argmax()), len(start))
print(context[places[first][0] : places[last][1]])
"""
