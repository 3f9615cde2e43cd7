"""Adapters of PyTorch's library PEFT, as part of the encoder that they were trained for."""
