"""What is asked of a frame (View), what one holds (Frame), and how one is made from a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from desktop import thesis
from desktop.alert_watch import Watched
from desktop.market.sessions import trading_day
from desktop.presenters.alerts import AlertsPresenter
from desktop.presenters.curves import Curves
from desktop.presenters.divergence import present_divergence
from desktop.presenters.evidence import EvidencePresenter
from desktop.presenters.gauge import present_gauge
from desktop.presenters.header import present_header
from desktop.presenters.health import HealthPresenter
from desktop.presenters.journal import JournalPresenter, Kept
from desktop.presenters.ratio import present_ratio
from desktop.presenters.release import ReleasePresenter, header_with
from desktop.presenters.sizer import SizerPresenter
from desktop.presenters.status import present_status
from desktop.presenters.thesis import present_thesis
from desktop.presenters.time_machine import present_time
from desktop.release_desk import ReleaseLook
from desktop.settings import Settings
from desktop.snapshot import Mode, Snapshot
from desktop.sources.state import Progress
from desktop.thesis import Claim
from widgets.states import (
    DivergenceState,
    EvidenceState,
    GaugeState,
    HeaderState,
    HealthState,
    PlaybackState,
    RatioState,
    SetupsState,
    SizerState,
    StatusState,
    ThesisState,
)
from widgets.states_alerts import AlertsState, RuleForm
from widgets.states_journal import JournalState
from widgets.states_release import ReleaseState
from widgets.states_time import TimeState


@dataclass(frozen=True, slots=True)
class View:
    """What the user asked to see: every choice, and the moment (None is now)."""

    settings: Settings
    as_of: datetime | None = None
    claim: str = ""
    """Whose evidence is shown, "" for none."""
    playing: bool = False
    """Whether the past moment moves on, at `speed` of its seconds a second."""
    speed: int = 60
    alert: RuleForm | None = None
    """The alert rule being typed."""
    release: str = ""
    """Key of the event whose reaction is shown, "" for the armed or last one."""

    @property
    def subject(self) -> tuple[object, ...]:
        """What two views must share for a frame of the one to pass, for a moment, as a frame of the other.

        A past moment says itself which it is: while it moves, frames on their way are still shown.
        """
        return self.as_of is None, self.settings.reference, self.settings.universe


@dataclass(frozen=True, slots=True)
class Refreshing:
    """How the manual refresh stands: under way, when the last one was complete, why nothing is asked at all."""

    running: bool = False
    done_at: datetime | None = None
    off: str = ""


_IDLE = Refreshing()
_NO_SETUPS = SetupsState()
_NO_ALERTS = AlertsState()
_NO_JOURNAL = Kept()


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of the whole window.

    `playback` is there only in the demo. `empty` says why there is nothing to show and nothing about to arrive,
    "" otherwise.
    """

    snapshot: Snapshot
    header: HeaderState
    ratio: RatioState
    divergence: DivergenceState
    gauge: GaugeState
    sizer: SizerState
    status: StatusState
    health: HealthState
    thesis: ThesisState
    evidence: EvidenceState | None
    release: ReleaseState
    playback: PlaybackState | None
    time: TimeState | None = None
    """Only where the moment shown is a past one."""
    empty: str = ""
    alerts: AlertsState = _NO_ALERTS
    journal: JournalState | None = None


class FramePresenter:
    """Makes frames; keeps curves and the last sizing, so that what is the same stays the same object."""

    def __init__(self) -> None:
        self._curves, self._sizer, self._health = Curves(), SizerPresenter(), HealthPresenter()
        self._evidence, self._release = EvidencePresenter(), ReleasePresenter()
        self._alerts, self._journal = AlertsPresenter(), JournalPresenter()

    def present(
        self,
        snapshot: Snapshot,
        view: View,
        *,
        refreshing: Refreshing = _IDLE,
        progress: Progress | None = None,
        playback: PlaybackState | None = None,
        empty: str = "",
        why: str = "",
        clock_ahead_s: float | None = None,
        now: datetime | None = None,
        judged: Sequence[Claim] | None = None,
        news: Sequence[tuple[datetime, str]] = (),
        minute_days: Sequence[date] | None = None,
        setups: SetupsState = _NO_SETUPS,
        alerts: Watched | None = None,
        release: ReleaseLook | None = None,
        journal: Kept = _NO_JOURNAL,
    ) -> Frame:
        """Turn one snapshot into the states of all panels.

        `why` tells why the demo stands in for live data; `now` is the feed's, where the snapshot is of an earlier
        moment. `clock_ahead_s` is how far this computer's clock is off, where that is known. `judged` are the
        claims where they were judged already, `news` what changed among them. `minute_days` are the days with
        stored minutes, in order; `setups` the named set-ups of the sizer; `alerts`, `release` and `journal` what
        is known of them where a desk knows it.
        """
        judged = thesis.claims(snapshot) if judged is None else judged
        now = now or snapshot.moment
        stop, target = self._sizer.levels(snapshot, view.settings)
        days, session = self._release.rails(snapshot, release, view.settings)
        sizer = self._sizer.present(snapshot, view.settings, setups)
        header = present_header(
            snapshot,
            refreshing=refreshing.running,
            refreshed_at=refreshing.done_at,
            note=why or refreshing.off,
        )
        return Frame(
            snapshot=snapshot,
            header=header_with(header, release),
            ratio=replace(present_ratio(snapshot, self._curves, stop=stop, target=target), rails=days),
            divergence=replace(present_divergence(snapshot, self._curves), rails=session),
            gauge=replace(present_gauge(snapshot, self._curves), rails=days),
            sizer=sizer,
            journal=self._journal.present(journal, snapshot, view.settings, sizer.legs),
            status=present_status(snapshot, progress, why=why, now=now, clock_ahead_s=clock_ahead_s),
            health=self._health.present(snapshot.feed, now),
            thesis=present_thesis(judged, view.settings, news, trading_day(snapshot.moment)),
            evidence=self._evidence.present(snapshot, next((one for one in judged if one.id == view.claim), None)),
            release=self._release.present(release, view.settings),
            playback=playback,
            time=_time(snapshot, view, minute_days, now),
            empty=empty,
            alerts=self._alerts.present(alerts),
        )


def _time(snapshot: Snapshot, view: View, minute_days: Sequence[date] | None, now: datetime) -> TimeState | None:
    if snapshot.mode is not Mode.AS_OF:
        return None
    return present_time(snapshot, minute_days, now=now, playing=view.playing, speed=view.speed)
