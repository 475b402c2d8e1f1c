"""Interface of the bridge: starting it, networks, inputs, methods, video."""
