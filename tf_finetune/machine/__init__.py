"""What the program finds around it: processes, signals, memory, environment variables."""
