"""Writes flat figures as files: PNG by Pillow, PDF by reportlab, SVG by Innerwalk itself."""

__all__ = ["pdf_page", "png_page"]
