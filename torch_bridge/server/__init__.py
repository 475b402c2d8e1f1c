"""The bridge: keeps networks loaded and answers requests over HTTP on this machine."""
