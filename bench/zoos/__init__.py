"""Networks of other packages, with random weights and small inputs, for `bench/networks.py`."""

__all__: list[str] = []
