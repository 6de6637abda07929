import pytest

pytest.register_assert_rewrite("tests.unit.backend.server.dispatch.contract")
