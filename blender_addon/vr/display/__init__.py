"""Content and layout of a walk's card and menu."""

from .card import Fact, draw_card, draw_card_in_steps
from .menu_types import Item, Page, Walker

__all__ = ["Fact", "Item", "Page", "Walker", "draw_card", "draw_card_in_steps"]
