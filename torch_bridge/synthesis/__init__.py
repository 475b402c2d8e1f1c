"""Pictures made to make channels fire: an objective, a way to write pictures as numbers, moves, rules, one ascent.

Each of these is a small thing of its own, and a preset says which of them go together. Nothing here knows methods.
"""
