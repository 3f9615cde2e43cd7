"""Tags of words, the entities that they mark, and how both are scored."""
