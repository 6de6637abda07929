"""`latentman convert-smpl FILE.pkl FILE.npz`: a licensed SMPL pickle, read through an allow-list, as a safe npz."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.make.body.convert_smpl import convert_smpl
from shared.errors import EXIT_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", type=Path, help="SMPL's .pkl file as downloaded")
    parser.add_argument("target", type=Path, nargs="?", help="the .npz file to write (default: next to the source)")


def run(arguments: argparse.Namespace) -> int:
    """Convert and tell where the result lies."""
    target: Path = arguments.target or arguments.source.with_suffix(".npz")
    convert_smpl(arguments.source, target)
    print(target)
    return EXIT_DONE
