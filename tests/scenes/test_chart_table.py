"""Charts on the command line: rows, series, bars of one series each, and what is left out."""

from innerwalk.scenes.tables import MOST_ROWS, MOST_SERIES, chart_table
from innerwalk.tests.support.charts import chart


def test_a_matrix_has_a_column_for_each_series():
    drawn = chart("matrix", ((7.26, -0.4), (0.1, 12.0)), ("star", "cross"), ("ring", "a long one"), row_axis="class")
    assert chart_table(drawn).splitlines() == [
        "a title",
        "  class  ring  a long one",
        "  star   7.26        -0.4",
        "  cross   0.1          12",
    ]


def test_bars_of_one_series_each_name_it_behind_their_value():
    values = ((0.31, 0.0), (0.0, -0.12), (0.0, 0.0))
    axes = {"row_axis": "concept", "series_axis": "category", "value_axis": "score"}
    drawn = chart("bars", values, ("ring", "blue", "none"), ("object", "colour"), **axes)
    assert chart_table(drawn).splitlines() == [
        "a title: score",
        "  concept         category",
        "  ring      0.31    object",
        "  blue     -0.12    colour",
        "  none         0",
    ]


def test_long_charts_are_cut_and_counted():
    drawn = chart("table", [[1.0] * (MOST_SERIES + 2)] * (MOST_ROWS + 1))
    *_, last = chart_table(drawn).splitlines()
    assert last == "  … and 1 more row, 2 more columns; -o saves all of them"
    assert len(chart_table(drawn).splitlines()) == MOST_ROWS + 3
