"""Labels and tags make room for each other."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from widgets.plot_paint import find_room, spread_out, tag_boxes

AREA = QRectF(0, 18, 500, 300)


def test_what_does_not_overlap_stays_where_it_is():
    assert spread_out([200.0, 50.0], 22, 0, 300) == [200.0, 50.0]


def test_two_that_overlap_give_way_by_the_same_amount():
    assert spread_out([100.0, 110.0], 22, 0, 300) == [94.0, 116.0]


def test_at_the_edge_the_other_one_gives_way():
    assert spread_out([295.0, 299.0], 20, 0, 300) == [270.0, 290.0]


def test_equal_values_keep_their_order():
    assert spread_out([50.0, 50.0, 50.0], 20, 0, 300) == [30.0, 50.0, 70.0]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=10))
def test_tags_never_overlap_and_stay_inside(wanted):
    placed = spread_out(wanted, 22, 0, 300)
    ordered = sorted(placed)
    assert all(after - before >= 22 - 1e-6 for before, after in itertools.pairwise(ordered))
    assert ordered[0] >= 11 - 1e-6 and ordered[-1] <= 289 + 1e-6
    assert [x for _, x in sorted(zip(wanted, placed, strict=True))] == pytest.approx(ordered)


def test_tags_stand_in_the_gutter():
    for box in tag_boxes([20.0, 25.0, 310.0], AREA, 60):
        assert box.left() >= AREA.right() and box.right() <= AREA.right() + 60


def test_a_label_stands_above_its_line_or_below_or_beside():
    taken: list[QRectF] = []
    for _ in range(3):
        taken.append(find_room(taken, 100.0, 120, AREA))
    above, below, beside = taken
    assert above.bottom() <= 100 <= below.top()
    assert beside.left() > above.right()
    assert not any(one.intersects(other) for one, other in itertools.combinations(taken, 2))


@given(st.lists(st.tuples(st.floats(18, 318), st.floats(40, 160)), max_size=6))
def test_labels_of_a_few_levels_never_overlap(levels):
    taken: list[QRectF] = []
    for y, wide in levels[:3]:
        taken.append(find_room(taken, y, wide, AREA))
    assert not any(one.intersects(other) for one, other in itertools.combinations(taken, 2))
    assert all(one.top() >= 2 and one.bottom() <= AREA.bottom() for one in taken)
