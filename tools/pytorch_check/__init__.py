"""Whether an exported Hugging Face folder answers in PyTorch as it does here."""
