"""One file a family of encoders, and the table that names them."""
