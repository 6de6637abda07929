"""The layers of a character's motion: what they are, repairs, filled frames, the edit layer, and the problems found."""
