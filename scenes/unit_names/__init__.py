"""`innerwalk names`: files of names that people have given to units."""

__all__ = ["names_command"]
