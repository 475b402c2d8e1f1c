"""Films as files: ranges and folders of frames, videos, and the processes and machines that render them."""

__all__: list[str] = []
