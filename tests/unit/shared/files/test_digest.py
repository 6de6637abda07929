from __future__ import annotations

from pathlib import Path

import pytest

from shared.files.digest import is_digest, sha256_bytes, sha256_file

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example "abc"


def test_known_digest(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_bytes(b"abc") == ABC
    assert sha256_file(path) == ABC


def test_a_file_longer_than_one_read(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    path = tmp_path / "long"
    path.write_bytes(data)
    assert sha256_file(path) == sha256_bytes(data)


@pytest.mark.parametrize("text", ["", ABC[:-1], ABC + "0", ABC.upper(), "../" + ABC[3:], ABC + "\n", "g" * 64])
def test_what_is_no_digest(text: str) -> None:
    assert is_digest(ABC)
    assert not is_digest(text)
