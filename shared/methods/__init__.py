"""The methods: one declaration each, read by job, reuse, panel, batch, backend and documents alike."""

from __future__ import annotations

from .spec import HELD, Dependence, MethodSpec
from .table import METHODS, method_named

__all__ = ["HELD", "METHODS", "Dependence", "MethodSpec", "method_named"]
