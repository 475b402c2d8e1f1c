"""The bridge: keeps networks loaded and answers requests over HTTP on this machine.

Imports nothing by itself: the command line reads `server.arguments` without torch.
"""
