"""Dissections by several processes, of this machine or of a Dask farm: the processes and machines that render films."""

__all__: list[str] = []
