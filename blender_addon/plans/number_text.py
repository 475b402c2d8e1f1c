"""Numbers as people read them."""

from __future__ import annotations

import numpy as np


def format_number(value: float) -> str:
    """Returns a value with three digits, thousands in groups and a true minus sign."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    size = abs(value)
    plain = f"{value:,.0f}" if size >= 100 else f"{value:.3g}"
    return (plain if value == 0 or 1e-3 <= size < 1e7 else f"{value:.1e}").replace("-", "−")


def format_alike(values: np.ndarray, digits: int) -> list[str]:
    """Returns finite values (n,) with equally many decimals, the largest with so many digits; whole ones with none."""
    peak = float(np.abs(values).max(initial=0.0))
    whole = bool((values == np.round(values)).all())
    if not 1e-3 <= peak < 1e5 and not (whole and peak < 1e5):
        return [format_number(value) for value in values.tolist()]
    decimals = 0 if whole else max(0, digits - 1 - int(np.floor(np.log10(peak))))
    return [f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", "−") for value in values.tolist()]


def format_percent(share: float) -> str:
    """Returns a share 0..1 as "99.9 %"; shares that would round to 0 or 100 % are shown as "< 0.1 %" or "> 99.9 %"."""
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def format_close_share(share: float) -> str:
    """Returns a share 0..1 as "97.1%", near 1 with enough digits to see it change: "99.998%"; at most six."""
    digits = next((digits for digits in range(1, 6) if round(100 * share, digits) < 100), 6)
    return f"{100 * share:.{digits}f}%" if round(100 * share, digits) < 100 else "100%"


def format_count(count: int, noun: str) -> str:
    """Returns a count with its noun: "1 layer", "3,976 channels"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
