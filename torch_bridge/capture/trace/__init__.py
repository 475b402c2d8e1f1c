"""Watches module calls and torch operations of a run, and follows which tensor came from where."""
