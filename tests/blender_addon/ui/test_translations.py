"""The words of the interface: written as Blender writes them, and whole in each language that is shipped.

What a language lacks is listed by `python -m innerwalk.tests.support.ui_texts de`.
"""

import json
import re
import string

import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

import bpy

from innerwalk import blender_addon
from innerwalk.blender_addon.ui.common.translating import translated
from innerwalk.tests.support import ui_texts

LANGUAGES = sorted(file.stem for file in ui_texts.LANGUAGES.glob("*.json"))
SMALL = {"a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "with"}
NAMES = re.compile(r"^(-?\d|JSON |\.)")
"""How tooltips may begin besides a capital letter."""


@pytest.fixture(scope="module")
def texts():
    blender_addon.register()
    yield ui_texts.all_texts()
    blender_addon.unregister()


def fields(text: str) -> list[tuple[str, str]]:
    """The names in braces of a text, with their formats."""
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name)


def test_german_is_shipped():
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_whole_and_not_stale(texts, language):
    known = ui_texts.language(language)
    assert sorted(texts - known.keys()) == [], "texts without a translation"
    assert sorted(known.keys() - texts) == [], "translations of texts that are gone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_same_fields_and_ends(language):
    for english, other in ui_texts.language(language).items():
        assert other.strip() == other and other, english
        assert fields(english) == fields(other), english
        assert english.endswith("…") == other.endswith("…"), english
        assert not other.endswith("."), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_sorted_so_that_changes_are_read_easily(language):
    text = (ui_texts.LANGUAGES / f"{language}.json").read_text("utf-8")
    assert text == json.dumps(dict(sorted(json.loads(text).items())), ensure_ascii=False, indent=1) + "\n"


def test_what_blender_cannot_look_up_is_handed_to_translated():
    """An f-string is another text with each value; `translated` takes a template and the values."""
    assert [f"{place}: {text}" for place, text, formatted in ui_texts.source_texts() if formatted] == []


def labels() -> list[str]:
    """Names of operators, panels, menus and properties."""
    found = {getattr(cls, "bl_label", "") for cls in blender_addon.ui.registered("CLASSES")}
    for cls in blender_addon.ui.registered("CLASSES"):
        if issubclass(cls, bpy.types.Operator):
            kind = getattr(bpy.ops.innerwalk, cls.bl_idname.partition(".")[2]).get_rna_type()
            found |= {kind.properties[name].name for name in ui_texts.own_properties(cls) if name in kind.properties}
    return sorted(text for text in found if ui_texts.LETTERS.search(text) and text != text.lower())


def test_labels_are_title_case(texts):
    for label in labels():
        words = label.split()
        wrong = [word for word in words[1:-1] if word in SMALL or word[0].isupper() or not word[0].isalpha()]
        assert len(wrong) == len(words[1:-1]), label
        assert not words[-1][0].islower() and not words[0][0].islower(), label


def tooltips() -> list[str]:
    """Tooltips of operators and their properties."""
    found = set()
    for cls in blender_addon.ui.registered("CLASSES"):
        if issubclass(cls, bpy.types.Operator):
            kind = getattr(bpy.ops.innerwalk, cls.bl_idname.partition(".")[2]).get_rna_type()
            found |= {kind.description}
            found |= {
                kind.properties[each].description for each in ui_texts.own_properties(cls) & {*kind.properties.keys()}
            }
    return sorted(found - {""})


def test_tooltips_are_sentences_without_a_full_stop(texts):
    for text in tooltips():
        assert not text.endswith("."), text
        assert text[0].isupper() or NAMES.match(text), text


def test_values_take_their_places_in_a_template():
    assert translated("{count:,} pictures of {name}", count=12345, name="birds") == "12,345 pictures of birds"
