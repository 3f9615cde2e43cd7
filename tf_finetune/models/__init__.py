"""The model that is trained: an encoder cut at the frozen boundary, and a head."""
