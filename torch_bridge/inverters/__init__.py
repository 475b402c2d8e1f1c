"""From a layer's maps back to a picture: what is kept of them, how far a picture is off, and networks trained for it.

`python -m innerwalk.torch_bridge.inverters.train NETWORK LAYER --data WHERE -o FILE.safetensors` trains one.
"""
