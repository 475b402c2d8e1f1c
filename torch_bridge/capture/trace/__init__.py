"""Traces the module calls and torch operations of a run, and which layers every tensor came from."""

__all__ = ["axes", "module_tracer", "mutation", "op_types", "operation_tracer", "provenance", "run"]
