"""Tables as CSV: texts that a spreadsheet would run begin with an apostrophe there, and are read as they were."""

import csv
import io
from pathlib import Path

import pytest

from innerwalk.torch_bridge.recording.csv_tables import FORMULA_SIGNS, csv_text, read_records, records_text

ROOT = Path(__file__).resolve().parents[3]
FORMULAS = ('=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "=", "'=1", "''@x")
PLAIN = ("lamp", "", "'", "'tis", "a=b", " =1", "5 of 6", "it's", 'a "quoted", text', "two\nlines", "x\r=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text_and_read_as_it_was(text):
    written = csv_text([("word", text), (text, "x")])
    for row in csv.reader(io.StringIO(written, newline="")):
        assert not any(cell.startswith(tuple(FORMULA_SIGNS)) for cell in row)
    assert list(read_records(written)) == [{"word": text, text: "x"}]


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_are_written_as_they_are(text):
    written = records_text([{"word": text, "note": ""}])
    assert list(csv.DictReader(io.StringIO(written, newline=""))) == [{"word": text, "note": ""}]
    assert list(read_records(written)) == [{"word": text, "note": ""}]


def test_numbers_stay_numbers():
    assert csv_text([(-0.5, -3, None, 1e-7, float("nan"))]) == "-0.5,-3,,1e-07,nan\n"
    assert records_text([]) == ""


@pytest.mark.parametrize("text", ["", "a,b\n1\n", "a\n1,2\n"])
def test_rows_of_other_lengths_are_refused(text):
    with pytest.raises(ValueError, match="."):
        list(read_records(text))


def test_nothing_else_writes_tables():
    sources = (path for room in ("torch_bridge", "blender_addon", "scenes") for path in (ROOT / room).rglob("*.py"))
    writers = [path.name for path in sources if "csv.writer(" in (text := path.read_text()) or "DictWriter" in text]
    assert writers == ["csv_tables.py"]
