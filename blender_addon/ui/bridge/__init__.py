"""Interface of the bridge: its start, networks, inputs, videos and methods."""
