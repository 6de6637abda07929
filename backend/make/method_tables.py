"""`docs/methods.md`, made from the declarations of the methods: `python -m backend.make.method_tables`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from backend.make.family_tables import markdown_table
from shared.methods import METHODS, Dependence, MethodSpec
from shared.methods.finish import FINISH_GROUP
from shared.methods.setting import Setting, Value, declared, defaults, values_of
from shared.methods.spec import HasSettings, Preset

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"

_REACH: Mapping[Dependence, str] = {
    "alone": "its own segment",
    "first": "its own segment; an edit of the shot's first frame affects everything",
    "chained": "its own segment and all later ones",
}
_PASSES = {"depth": "depth", "part": "body parts"}

_HEAD = """# Methods

Made by `make docs` from the declarations in `shared/methods`.

A job names its `method` and holds that method's own `settings`. A setting that is left out has its default; an unknown
setting is an error. The batch command has an option for each setting, `--METHOD-SETTING`, for example
`--latentman-align 0 0.4`. The column *panel* gives the setting's name in the panel; settings without one are not shown
there.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(METHODS.values()), encoding="utf-8")


def page(methods: Iterable[MethodSpec]) -> str:
    """The page of these methods, in Markdown."""
    known = tuple(methods)
    sections = (section for method in known for section in _sections(method))
    methods_table = markdown_table(("method", "name", "what it does", "needs", "an edit affects"), _rows(known))
    return "\n".join((_HEAD, methods_table, *sections, *_finish(), ""))


def _rows(methods: Sequence[MethodSpec]) -> Iterator[tuple[str, ...]]:
    for method in methods:
        reach = _REACH["chained" if method.locked or method.needs.memory else method.dependence]
        yield f"`{method.name}`", method.label, method.description, _needs(method), reach


def _needs(method: MethodSpec) -> str:
    needs = method.needs
    found = [_PASSES[name] for name in needs.passes]
    found += ["matches of consecutive frames"] if needs.matches else []
    found += [f"`{name}` if its settings ask for it" for name in needs.models]
    return ", ".join(found)


def _sections(method: MethodSpec) -> Iterator[str]:
    if declared(method.settings):
        yield from ("", f"## Settings of {method.label}", "")
        if method.sets is not None:
            names = " or ".join(f"`{name}`" for name in method.sets.names)
            yield f"`{method.sets.key}` in a job file selects a whole set, {names}; settings given with it override it."
            yield ""
        yield _settings_table(method)
    if method.presets:
        yield from ("", f"## Presets of {method.label}", "")
        rows = (_preset(method, preset) for preset in method.presets)
        yield markdown_table(
            ("preset", "panel", "what it is", "steps", "settings that differ from their defaults"), rows
        )


def _finish() -> Iterator[str]:
    yield from ("", "## Finish", "")
    yield (
        f"{FINISH_GROUP.description}: `{FINISH_GROUP.name}` in a job, `--{FINISH_GROUP.name}-SETTING` in the batch "
        "command. With the lock on, an edit affects its own segment and all later ones."
    )
    yield ""
    yield _settings_table(FINISH_GROUP)


def _settings_table(owner: HasSettings) -> str:
    usual = defaults(owner.settings)
    rows = (_setting(name, one, usual[name]) for name, one in declared(owner.settings).items())
    return markdown_table(("setting", "panel", "default", "values", "what it is"), rows)


def _setting(name: str, one: Setting, usual: Value) -> tuple[str, ...]:
    return f"`{name}`", one.label if one.group else "", _spelled(usual), _values(one, usual), _words(one)


def _values(one: Setting, usual: Value) -> str:
    if one.choices:
        return ", ".join(f"`{choice.value}`" for choice in one.choices)
    if isinstance(usual, bool):
        return "`true`, `false`"
    span = "two rising numbers, " if isinstance(usual, tuple) else ""
    return f"{span}{one.low:g} to {one.high:g}{f' {one.unit}' if one.unit else ''}"


def _words(one: Setting) -> str:
    choices = "; ".join(f"`{choice.value}`: {choice.help}" for choice in one.choices if choice.help)
    only = f" Only used when `{one.only_with[0]}` is `{one.only_with[1]}`." if one.only_with is not None else ""
    return f"{one.help}.{f' {choices}.' if choices else ''}{only}"


def _preset(method: MethodSpec, preset: Preset) -> tuple[str, ...]:
    usual = defaults(method.settings)
    changed = ((name, value) for name, value in values_of(preset.settings).items() if value != usual[name])
    settings = ", ".join(f"`{name}` {_spelled(value)}" for name, value in changed)
    return f"`{preset.name}`", preset.label, preset.description, str(preset.steps or ""), settings


def _spelled(value: Value) -> str:
    """A value as a job file has it, numbers short."""
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


if __name__ == "__main__":
    main()
