"""Writes flat figures as PDF files by reportlab; Innerwalk itself writes SVG and PNG."""

__all__ = ["pdf_page"]
