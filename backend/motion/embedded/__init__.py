"""The motion model that ships: what it is asked for, its files, and a text made into a motion by it."""
