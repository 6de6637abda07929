"""One module a command: `add_arguments(parser)` and `run(arguments) -> exit code`; `backend.cli` has the table.

`base` is what commands share, `evaluation` has the commands `eval ...`.
"""
