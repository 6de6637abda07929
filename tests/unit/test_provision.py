"""Where the real Blenders come from: the archive that this machine's own apt uses."""

from __future__ import annotations

from tests.app.provision import debian_mirror


def test_the_mirror_is_the_main_archive_of_apts_own_sources() -> None:
    assert (
        debian_mirror(["http://a.example/debian-security/", "http://b.example/debian/"]) == "http://b.example/debian/"
    )
    assert debian_mirror(["https://c.example/mirrors/debian"]) == "https://c.example/mirrors/debian"
    assert debian_mirror(["http://d.example/ubuntu/", "http://e.example/debian-security"]) is None
