"""The procedural motion library: actions, styles, sequences of actions, and measures of what is plausible.

An action (`action.py`) makes `Controls` from a variation; `clip.py` gives them a style and life, keeps feet and arms
where they can be, and poses the skeleton. `table.py` lists all actions.
"""
