"""Options of the command line, and the parsers of their values."""

__all__: list[str] = []
