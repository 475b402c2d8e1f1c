"""Interprets the output of a network: classes, masks, boxes, pictures or numbers."""
