"""Writes flat figures as files: PNG and SVG by Innerwalk itself, PDF by reportlab."""

__all__ = ["pdf_page"]
