"""Ways of a camera through a hall, one file a kind of shot."""

__all__: list[str] = []
