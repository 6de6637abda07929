"""Free words into what the embedded models know: texts into actions, prompt words into the picture model's grammar."""
