"""What is trained and what it costs, decided as data before anything is built."""
