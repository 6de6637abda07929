"""Help when something is wrong: the doctor, fixes by button, notifications."""
