"""How consistent a result is from frame to frame, and what that consistency cost."""
