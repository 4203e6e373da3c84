"""Settings on disk: what is kept, what is refused, what happens to a damaged file."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import settings
from desktop.settings import SettingError, Settings

# Key, default and bounds, as the help of each setting promises them; written out by hand on purpose.
NUMBERS = (
    ("max_leg_gap_s", "divergence.max_leg_gap_s", 60.0, 1.0, 3600.0),
    ("max_age_s", "divergence.max_age_s", 1200.0, 5.0, 7200.0),
    ("truth_gap_pp", "divergence.truth_gap_pp", 0.5, 0.05, 5.0),
    ("correlation_percentile", "regime.correlation_percentile", 0.90, 0.5, 1.0),
    ("correlation_jump", "regime.correlation_jump", 0.15, 0.01, 1.0),
    ("volatility_percentile", "regime.volatility_percentile", 0.90, 0.5, 1.0),
    ("term_structure", "regime.term_structure", 1.0, 0.5, 2.0),
    ("breadth", "regime.breadth", 0.80, 0.5, 1.0),
    ("momentum_sigma", "regime.momentum_sigma", 2.0, 0.1, 10.0),
    ("enter_days", "regime.enter_days", 2, 1, 20),
    ("leave_days", "regime.leave_days", 5, 1, 60),
    ("alerts_max_age_s", "alerts.max_age_s", 120.0, 5.0, 3600.0),
)


def write(folder, text: str) -> None:
    (folder / "settings.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("name", "key", "default", "low", "high"), NUMBERS)
def test_number_has_the_default_and_the_bounds_it_declares(name, key, default, low, high):
    assert getattr(Settings(), name) == default
    assert settings.spec_of(name).key == key
    assert getattr(settings.changed(Settings(), name, low), name) == low
    assert getattr(settings.changed(Settings(), name, high), name) == high
    for outside in (low - 1, high + 1):
        with pytest.raises(SettingError, match=f"{key} = .*must lie between {low:g} and {high:g}"):
            settings.changed(Settings(), name, outside)


def test_every_setting_has_a_key_of_its_own_and_says_what_it_is():
    specs = [settings.spec_of(one.name) for one in fields(Settings)]
    assert len({one.key for one in specs}) == len(specs)
    assert all(one.help.endswith(".") for one in specs)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("theme", "blue", "must be one of system, dark, light"),
        ("theme", 1, "must be text"),
        ("enter_days", 2.5, "must be a whole number"),
        ("enter_days", True, "must be a whole number"),
        ("max_age_s", "600", "must be a number"),
        ("max_age_s", float("nan"), "must be a finite number"),
        ("max_age_s", float("inf"), "must be a finite number"),
        ("sizing", "kelly", "must be one of cap, vol_target, stop"),
    ],
)
def test_value_of_the_wrong_kind_is_refused_with_what_would_be_allowed(name, value, why):
    with pytest.raises(SettingError, match=why):
        settings.changed(Settings(), name, value)


def test_whole_number_stands_for_a_number():
    assert settings.changed(Settings(), "max_age_s", 600).max_age_s == 600.0


def test_no_file_means_defaults_and_no_complaint(tmp_path):
    assert settings.load(tmp_path) == (Settings(), ())


def test_only_what_differs_from_the_defaults_is_written(tmp_path):
    settings.save(replace(Settings(), theme="light", capital="5m"), tmp_path)
    document = tomllib.loads((tmp_path / "settings.toml").read_text(encoding="utf-8"))
    assert document == {"appearance": {"theme": "light"}, "sizer": {"capital": "5m"}}
    assert not list(tmp_path.glob("*.new"))


def test_value_set_back_to_its_default_leaves_the_file(tmp_path):
    settings.save(replace(Settings(), theme="light", capital="5m"), tmp_path)
    settings.save(replace(Settings(), capital="5m"), tmp_path)
    document = tomllib.loads((tmp_path / "settings.toml").read_text(encoding="utf-8"))
    assert document.get("appearance", {}) == {}
    assert settings.load(tmp_path)[0].theme == "system"


def test_keys_of_another_version_stay_as_they_are(tmp_path):
    write(tmp_path, '[alerts]\nsound = "bell"\n[sizer]\nfuture = 3\n')
    settings.save(replace(Settings(), capital="5m"), tmp_path)
    document = tomllib.loads((tmp_path / "settings.toml").read_text(encoding="utf-8"))
    assert document["alerts"] == {"sound": "bell"}
    assert document["sizer"] == {"future": 3, "capital": "5m"}


def test_one_bad_value_leaves_that_one_default_and_is_told(tmp_path):
    write(tmp_path, '[appearance]\ntheme = "pink"\n[sizer]\ncapital = "3m"\n')
    loaded, problems = settings.load(tmp_path)
    assert (loaded.theme, loaded.capital) == ("system", "3m")
    assert len(problems) == 1
    assert "appearance.theme" in problems[0]
    assert "the default is used" in problems[0]


@pytest.mark.parametrize("content", [b"[appearance\ntheme=", b"\xff\xfe\x00broken", b"\x00" * 40])
def test_damaged_file_is_kept_aside_and_told(tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    loaded, (problem,) = settings.load(tmp_path)
    assert loaded == Settings()
    assert "settings.toml.bad" in problem
    assert (tmp_path / "settings.toml.bad").read_bytes() == content
    settings.save(replace(Settings(), capital="5m"), tmp_path)
    assert settings.load(tmp_path) == (replace(Settings(), capital="5m"), ())


@given(text=st.text(max_size=60), stop=st.text(max_size=20))
def test_whatever_is_typed_comes_back_as_it_was(tmp_path_factory, text, stop):
    folder = tmp_path_factory.mktemp("settings")
    chosen = replace(Settings(), capital=text, stop=stop)
    settings.save(chosen, folder)
    assert settings.load(folder) == (chosen, ())


def test_damaged_file_in_a_folder_that_cannot_be_written_is_left_and_told(tmp_path, monkeypatch):
    (tmp_path / settings.FILE_NAME).write_text("theme = [", encoding="utf-8")

    def refuse(_path: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    loaded, (problem,) = settings.load(tmp_path)
    assert loaded == Settings()
    assert "left as it is (Permission denied), defaults are used" in problem


def test_file_that_cannot_be_read_means_defaults_and_is_told(tmp_path):
    (tmp_path / settings.FILE_NAME).mkdir()
    loaded, (problem,) = settings.load(tmp_path)
    assert loaded == Settings()
    assert "could not be read" in problem
