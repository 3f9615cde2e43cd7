"""What PyTorch's library PEFT calls the files of an adapter and the tensors in them."""

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
# As PEFT wrote it before; anything may stand in it.
PICKLED_WEIGHTS = "adapter_model.bin"
# Of a head that the library's own classifier lacks; this project's, beside an adapter.
HEAD_WEIGHTS = "head.safetensors"
# Before the names of the encoder's modules.
PREFIX = "base_model.model."
