"""The methods: one declaration each, read by job, reuse, panel, batch, backend and documents alike."""

from __future__ import annotations

from .setting import MethodSettings
from .spec import HELD, Dependence, MethodSpec
from .table import DEFAULT_METHOD, METHODS, method_named

__all__ = ["DEFAULT_METHOD", "HELD", "METHODS", "Dependence", "MethodSettings", "MethodSpec", "method_named"]
