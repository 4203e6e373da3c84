"""What is asked of a frame (View), what one holds (Frame), and how one is made from a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
from desktop.presenters.ratio import present_ratio
from desktop.presenters.sizer import SizerPresenter
from desktop.presenters.status import present_status
from desktop.presenters.thesis import present_thesis
from desktop.settings import Settings
from desktop.snapshot import Snapshot
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
    SizerState,
    StatusState,
    ThesisState,
)
from widgets.states_alerts import AlertsState, RuleForm


@dataclass(frozen=True, slots=True)
class View:
    """What the user asked to see: every choice, and the moment (None is now)."""

    settings: Settings
    as_of: datetime | None = None
    claim: str = ""
    """Whose evidence is shown, "" for none."""
    alert: RuleForm | None = None
    """The alert rule being typed."""

    @property
    def subject(self) -> tuple[object, ...]:
        """What two views must share for a frame of the one to pass, for a moment, as a frame of the other."""
        return self.as_of, self.settings.reference, self.settings.universe


@dataclass(frozen=True, slots=True)
class Refreshing:
    """How the manual refresh stands: under way, when the last one was complete, why nothing is asked at all."""

    running: bool = False
    done_at: datetime | None = None
    off: str = ""


_IDLE = Refreshing()
_NO_ALERTS = AlertsState()


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
    playback: PlaybackState | None
    empty: str = ""
    alerts: AlertsState = _NO_ALERTS


class FramePresenter:
    """Makes frames; keeps curves and the last sizing, so that what is the same stays the same object."""

    def __init__(self) -> None:
        self._curves, self._sizer, self._health = Curves(), SizerPresenter(), HealthPresenter()
        self._evidence = EvidencePresenter()
        self._alerts = AlertsPresenter()

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
        now: datetime | None = None,
        judged: Sequence[Claim] | None = None,
        news: Sequence[tuple[datetime, str]] = (),
        alerts: Watched | None = None,
    ) -> Frame:
        """Turn one snapshot into the states of all panels.

        `why` tells why the demo stands in for live data; `now` is the feed's, where the snapshot is of an earlier
        moment. `judged` are the claims where they were judged already, `news` what changed among them.
        """
        judged = thesis.claims(snapshot) if judged is None else judged
        now = now or snapshot.moment
        stop, target = self._sizer.levels(snapshot, view.settings)
        return Frame(
            snapshot=snapshot,
            header=present_header(
                snapshot,
                refreshing=refreshing.running,
                refreshed_at=refreshing.done_at,
                note=why or refreshing.off,
            ),
            ratio=present_ratio(snapshot, self._curves, stop=stop, target=target),
            divergence=present_divergence(snapshot, self._curves),
            gauge=present_gauge(snapshot, self._curves),
            sizer=self._sizer.present(snapshot, view.settings),
            status=present_status(snapshot, progress, why=why, now=now),
            health=self._health.present(snapshot.feed, now),
            thesis=present_thesis(judged, view.settings, news, trading_day(snapshot.moment)),
            evidence=self._evidence.present(snapshot, next((one for one in judged if one.id == view.claim), None)),
            playback=playback,
            empty=empty,
            alerts=self._alerts.present(alerts),
        )
