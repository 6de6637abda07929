"""The words of the actions: one row an action. A row that no motion model knows waits for one that does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backend.words.action_row import ActionWords
from backend.words.doing_words import DOING
from backend.words.moving_words import MOVING

ACTION_WORDS: Mapping[str, ActionWords] = MappingProxyType({row.name: row for row in (*MOVING, *DOING)})
