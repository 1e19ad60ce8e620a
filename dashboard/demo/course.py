"""One invented episode of care: sessions, scores, ruptures, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import exp, log

import numpy as np

from dashboard.demo.people import DemoClinician

# science 5.3 and 3.3: intercept and slope of leaving on ln(session); PHQ-9 and GAD-7 at the start and their course
LEAVING_INTERCEPT, LEAVING_SLOPE = -3.10, -0.50
START = {"phq9": (15.4, 5.0, 27, 9), "gad7": (13.5, 4.2, 21, 7)}
COURSE = -0.187
LONGEST = 40


@dataclass
class Course:
    """Rows of one episode as the contract's tables want them."""

    appointments: list[dict[str, object]] = field(default_factory=list)
    scores: list[dict[str, object]] = field(default_factory=list)
    closed_on: date | None = None
    ending: str | None = None
    ending_recorded_on: date | None = None
    last_day: date | None = None
    planned_sessions: int | None = None


def _weekday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


class Story:
    """Tells one episode, session by session, up to today."""

    def __init__(self, draw: np.random.Generator, episode_id: str, clinician: DemoClinician, opened: date, today: date):
        """Draws what stays the same through the episode."""
        self.draw, self.episode_id, self.clinician, self.today = draw, episode_id, clinician, today
        self.course = Course()
        self.opened = opened
        self.hour = int(draw.integers(8, 18))
        self.instrument = "gad7" if draw.random() < 0.25 else "phq9"
        mean, sd, top, _ = START[self.instrument]
        self.start = float(np.clip(draw.normal(mean, sd), 3, top))
        self.slope = COURSE * float(draw.normal(1, 0.7)) * (1 + 0.3 * clinician.lift)
        self.items = draw.random() < 0.33
        self.level = float(draw.normal(36.3, 1.8))
        self.ceiling = draw.random() < 0.06
        self.alliance = "wai_sr" if draw.random() < 0.2 else "srs"
        self.measured = (0.82 if draw.random() > 0.12 else 0.3) * clinician.measures
        self.dip, self.dip_left = 0.0, 0
        self.length = int(np.clip(draw.gamma(3.2, 4.6), 3, LONGEST))
        self.gap = 7 if draw.random() < 0.7 else 14
        self.number = 0
        if draw.random() < 0.5:
            self.course.planned_sessions = int(draw.choice([6, 8, 12, 16, 20]))

    def tell(self) -> Course:
        """The whole episode."""
        day = _weekday(self.opened + timedelta(days=int(self.draw.integers(0, 6))))
        slot = 0
        missed = 0
        while day <= self.today:
            status = self._status()
            self._appointment(day, slot, status)
            slot += 1
            if status != "attended":
                missed = missed + 1 if status in ("no_show", "late_cancelled") else 0
                if missed >= 3:
                    self._end(day, "unilateral", late=True)
                    return self.course
                day = _weekday(day + timedelta(days=self.gap))
                continue
            self.number += 1
            self.course.last_day = day
            self._measure(day)
            if self._leaves(missed):
                after = day
                for _ in range(int(self.draw.integers(0, 3))):
                    after = _weekday(after + timedelta(days=self.gap))
                    if after <= self.today:
                        self._appointment(after, slot, "no_show")
                        slot += 1
                self._end(after, "unilateral", late=True)
                return self.course
            missed = 0
            if self.number >= self.length:
                self._end(day, str(self.draw.choice(["planned", "mutual"], p=[0.75, 0.25])), late=False)
                return self.course
            if self.draw.random() < 0.004:
                self._end(day, str(self.draw.choice(["moved", "other"])), late=False)
                return self.course
            rest = 28 if self.draw.random() < 0.02 else 0
            day = _weekday(day + timedelta(days=self.gap + rest))
        if self.draw.random() < 0.88 and day <= self.today + timedelta(days=35):
            self._appointment(day, slot, "booked", min(self.today, day - timedelta(days=self.gap)))
        return self.course

    def _status(self) -> str:
        if self.number == 0 and self.draw.random() < 0.05:
            return "no_show"
        weights = [0.86, 0.05 + 0.04 * (self.dip_left > 0), 0.03, 0.04, 0.02]
        names = ["attended", "no_show", "late_cancelled", "cancelled_by_client", "cancelled_by_clinician"]
        return str(self.draw.choice(names, p=np.array(weights) / sum(weights)))

    def _appointment(self, day: date, slot: int, status: str, booked_on: date | None = None) -> None:
        at_the_last_session = self.draw.random() < 0.85
        ahead = self.gap if at_the_last_session else int(self.draw.integers(1, self.gap))
        known = booked_on or day - timedelta(days=ahead)
        self.course.appointments.append(
            {
                "appointment_id": f"{self.episode_id}-{slot + 1:02}",
                "episode_id": self.episode_id,
                "starts_at": datetime(day.year, day.month, day.day, self.hour),
                "status": status,
                "mode": str(self.draw.choice(["in_person", "video", "phone"], p=[0.7, 0.25, 0.05])),
                "booked_on": known,
            }
        )

    def _score(self, day: date, instrument: str, scale: str, value: float, respondent: str = "client") -> None:
        self.course.scores.append(
            {
                "episode_id": self.episode_id,
                "taken_on": day,
                "instrument": instrument,
                "scale": scale,
                "value": float(value),
                "respondent": respondent,
            }
        )

    def _measure(self, day: date) -> None:
        _, _, top, count = START[self.instrument]
        if self.draw.random() < self.measured or (self.number == 1 and self.draw.random() < self.clinician.measures):
            expected = self.start * (1 + self.slope * log(self.number))
            total = int(np.clip(round(expected + self.draw.normal(0, 2.0)), 0, top))
            if self.items:
                self._item_scores(day, total, count)
            else:
                self._score(day, self.instrument, "total", total)
        if self.dip_left == 0 and self.number > 3 and self.draw.random() < 0.035:
            self.dip, self.dip_left = float(self.draw.uniform(4, 9)), int(self.draw.choice([1, 2, 3, 6]))
        if self.draw.random() < self.measured * 0.85:
            rating = 40.0 if self.ceiling else self.level + 0.25 * log(self.number) + self.draw.normal(0, 0.8)
            rating -= self.dip if self.dip_left else 0
            rating = float(np.clip(rating, 8, 40))
            if self.alliance == "srs":
                self._score(day, "srs", "total", round(rating, 1))
            else:
                self._wai(day, int(np.clip(round(12 + (rating - 8) * 1.5), 12, 60)))
                if self.draw.random() < 0.3:
                    self._score(
                        day, "wai_sr_t", "total", int(np.clip(round(10 + (rating - 8) * 1.45), 12, 60)), "clinician"
                    )
        self.dip_left = max(0, self.dip_left - 1)

    def _wai(self, day: date, total: int) -> None:
        """Total and parts; in one episode of six goals are rated below the bond. Draws nothing."""
        goal, rest = divmod(total, 3)
        bond = goal
        goal, task = goal + (rest > 0), goal + (rest > 1)
        apart = min(3, 20 - bond, goal - 4) if sum(self.episode_id.encode()) % 6 == 0 else 0
        self._score(day, "wai_sr", "total", total)
        for scale, value in (("bond", bond + apart), ("goal", goal - apart), ("task", task)):
            self._score(day, "wai_sr", scale, value)

    def _item_scores(self, day: date, total: int, count: int) -> None:
        rest = count - 1 if self.instrument == "phq9" else count
        values = np.zeros(count, dtype=int)
        last = 0
        if self.instrument == "phq9" and self.draw.random() < max(0.0, (total - 15) / 60):
            last = 1
        left = min(total - last, 3 * rest)
        while left > 0:
            open_items = [i for i in range(rest) if values[i] < 3]
            values[int(self.draw.choice(open_items))] += 1
            left -= 1
        if self.instrument == "phq9":
            values[count - 1] = min(3, total - int(values.sum())) if total - int(values.sum()) > last else last
        for item, value in enumerate(values, start=1):
            if (item == count and self.instrument == "phq9") or self.draw.random() > 0.005:
                self._score(day, self.instrument, f"item_{item}", int(value))

    def _leaves(self, missed: int) -> bool:
        odds = LEAVING_INTERCEPT + LEAVING_SLOPE * log(self.number) + self.clinician.pull
        odds += 0.9 * (self.dip_left > 0) + 0.7 * (missed > 0) - 0.3 * (self.level - 36.3) / 1.8
        return bool(self.draw.random() < 1 / (1 + exp(-odds)))

    def _end(self, day: date, ending: str, *, late: bool) -> None:
        closed = day + timedelta(days=int(self.draw.integers(28, 60)) if late else int(self.draw.integers(0, 6)))
        if closed > self.today:
            return
        self.course.closed_on = closed
        self.course.ending = "unknown" if self.draw.random() < 0.06 else ending
        if self.draw.random() < 0.2:
            recorded = closed + timedelta(days=int(self.draw.integers(7, 45)))
            if recorded > self.today:
                self.course.closed_on = self.course.ending = None
                return
            self.course.ending_recorded_on = recorded
