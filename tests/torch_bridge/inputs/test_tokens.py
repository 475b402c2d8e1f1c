"""Words and numbers as tokens: known vocabularies, and what goes wrong."""

import json

import numpy as np
import pytest

from innerwalk.torch_bridge.inputs.tokens import Vocabulary, parse_ids, read_vocabulary
from innerwalk.torch_bridge.recording.errors import InputError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "hello", "world", ",", "Paris", "##a"]


@pytest.fixture
def vocabulary(tmp_path) -> Vocabulary:
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return read_vocabulary(tmp_path / "vocab.txt")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("hello world", "hello world"),
        ("[CLS] Hello, WORLD [SEP]", "[CLS] hello , world [SEP]"),
        ("unaffable", "un ##aff ##able"),
        ("Paris paris", "Paris [UNK]"),
        ("unaffablex hello", "[UNK] hello"),
        ("  hello\n\tworld ", "hello world"),
    ],
)
def test_words_become_the_longest_pieces(vocabulary, text, tokens):
    ids, line = vocabulary.tokenise(text)
    assert ids.dtype == np.int64 and [WORDS[number] for number in ids] == tokens.split()
    assert line.startswith(f"{len(ids)} tokens of vocab.txt: {tokens}")


def test_words_are_numbered_by_line_feeds_alone(tmp_path):
    file = tmp_path / "vocab.txt"
    file.write_bytes("\ufeffa\r\n\u2028\n\x85\nb\n".encode())
    assert read_vocabulary(file).ids == {"a": 0, "b": 3}
    file.write_bytes('\ufeff{"a": 7}'.encode())
    assert read_vocabulary(file).ids == {"a": 7}


def test_unknown_words_are_named(vocabulary):
    assert vocabulary.tokenise("hello zebra 7")[1].endswith("; unknown: zebra 7")
    plain = Vocabulary("v", {"hello": 0})
    with pytest.raises(InputError, match=r"'zebra' isn't in v, which has no \[UNK\] or <unk> either"):
        plain.tokenise("hello zebra")
    with pytest.raises(InputError, match="it has no words"):
        plain.tokenise("  ")


def test_json_states_the_numbers(tmp_path):
    (tmp_path / "v.json").write_text(json.dumps({"hello": 41, "<unk>": 3}))
    assert read_vocabulary(tmp_path / "v.json").tokenise("hello you")[0].tolist() == [41, 3]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "it is empty"),
        (b"  \n\n", "it is empty"),
        (b"\x80\x04\x95\x0e}\x8c\x05hello\x94K\x01s.", "not a text"),
        (b'{"hello": 1', "not JSON"),
        (b'{"hello": -1}', "'hello' has -1; a whole number from 0 is needed"),
        (b'{"hello": true}', "'hello' has True; a whole number"),
        (b'{"hello": [1]}', "a whole number from 0 is needed"),
    ],
)
def test_vocabularies_that_arent(tmp_path, content, line):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_vocabulary(tmp_path / "v")
    assert line in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(InputError, match="no such file"):
        read_vocabulary(tmp_path / "none")


def test_numbers_are_read_as_they_are():
    assert parse_ids("101,2054, 102").tolist() == [101, 2054, 102]
    for text in ("", "1,", "1;2", "1.5", "a", "9" * 30, "1,\u0663"):
        with pytest.raises(InputError, match="write whole numbers with commas"):
            parse_ids(text)


def test_only_line_breaks_end_a_word(tmp_path):
    """Vocabularies list such characters themselves; as breaks they would shift all numbers after them."""
    (tmp_path / "v.txt").write_bytes("a\n\u2028b\r\nc\x0cd\ne".encode())
    assert read_vocabulary(tmp_path / "v.txt").ids == {"a": 0, "b": 1, "c\x0cd": 2, "e": 3}


def test_bombs_of_words_are_refused(tmp_path, monkeypatch, vocabulary):
    monkeypatch.setattr("innerwalk.torch_bridge.inputs.tokens.MAX_WORDS", 3)
    for name, content in (("v.txt", "\n" * 4), ("v.json", '{"a": 1, "b": 2, "c": 3, "d": 4}')):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="more than 3 words"):
            read_vocabulary(tmp_path / name)
    with pytest.raises(InputError, match="300,000 characters; at most 262,144 are read"):
        vocabulary.tokenise("hello " * 50_000)
