"""Typing goes on while the answers to earlier keystrokes come in."""

from widgets.draft import Draft


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_answer_to_the_last_keystroke_changes_nothing():
    draft = Draft("9")
    draft.send("9.5")
    assert not draft.take("9.5")
    assert draft.value == "9.5"


def test_late_answer_to_an_earlier_keystroke_is_no_news():
    draft = Draft("")
    for text in ("9", "9.", "9.9"):
        draft.send(text)
    assert not draft.take("9")
    assert not draft.take("9.9")
    assert draft.value == "9.9"


def test_going_back_to_the_old_text_survives_the_answer_to_the_text_between():
    draft = Draft("9.9")
    draft.send("9.95")
    draft.send("9.9")
    assert not draft.take("9.9")  # an old frame, from before the typing
    assert not draft.take("9.95")
    assert not draft.take("9.9")
    assert draft.value == "9.9"


def test_text_changed_elsewhere_wins_over_what_is_typed():
    draft = Draft("9.950")
    draft.send("9.9")
    assert draft.take("10.125")
    assert draft.value == "10.125"


def test_old_state_without_news_leaves_the_typed_text():
    draft = Draft("1")
    draft.send("12")
    assert not draft.take("1")
    assert draft.value == "12"


def test_change_elsewhere_to_a_text_typed_long_ago_is_taken():
    clock = Hand()
    draft = Draft("", clock)
    draft.send("9")
    draft.send("9.5")
    draft.take("9.5")
    clock.now += 60
    assert draft.take("9")
    assert draft.value == "9"
