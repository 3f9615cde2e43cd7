"""What each command does, for whoever asks for it: the command line or Python."""
