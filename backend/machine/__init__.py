"""What this machine is: its memory, threads, precisions and cards."""
