"""Slots by the sun. The rule: an instant is a function of its date alone, to the whole second.

Declination and equation of time are the series of the NOAA solar calculator, evaluated again at
the instant found until it stands.
Source: https://gml.noaa.gov/grad/solcalc/calcdetails.html
"""

from __future__ import annotations

from collections.abc import Mapping
from math import acos, asin, cos, degrees, radians, sin, tan
from typing import NamedTuple

from .slots import DAY_S, Slot, Timing, utc_slot

_RISING, _NOON, _SETTING, _MIDNIGHT = -1, 0, 1, -2
EVENTS: Mapping[str, tuple[int, float]] = {
    "dawn_astronomical": (_RISING, -18.0),
    "dawn_nautical": (_RISING, -12.0),
    "dawn_civil": (_RISING, -6.0),
    "sunrise": (_RISING, -0.833),
    "solar_noon": (_NOON, 0.0),
    "sunset": (_SETTING, -0.833),
    "dusk_civil": (_SETTING, -6.0),
    "dusk_nautical": (_SETTING, -12.0),
    "dusk_astronomical": (_SETTING, -18.0),
    "solar_midnight": (_MIDNIGHT, 0.0),
    "golden_hour_start": (_SETTING, 6.0),
    "golden_hour_end": (_RISING, 6.0),
    "blue_hour_start": (_SETTING, -4.0),
    "blue_hour_end": (_RISING, -4.0),
}
"""Which way the sun goes, and its altitude in degrees."""

_SEARCH_DAYS = 366
_ROUNDS = 5
_STANDS_S = 0.01
_J2000_S = 946_728_000
_CENTURY_S = 36_525 * DAY_S
_DEGREE_S = 240


class Sun(NamedTuple):
    """Declination in radians and equation of time in seconds."""

    declination: float
    equation_s: float


def sun_at(at_s: float) -> Sun:
    """Where the sun stands at an instant."""
    t = (at_s - _J2000_S) / _CENTURY_S
    mean = radians((280.46646 + t * (36000.76983 + t * 0.0003032)) % 360)
    anomaly = radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    orbit = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    center = (
        sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + sin(2 * anomaly) * (0.019993 - 0.000101 * t)
        + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * t)
    longitude = mean + radians(center - 0.00569 - 0.00478 * sin(node))
    tilt_s = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    tilt = radians(23 + (26 + tilt_s / 60) / 60 + 0.00256 * cos(node))
    y = tan(tilt / 2) ** 2
    equation = (
        y * sin(2 * mean)
        - 2 * orbit * sin(anomaly)
        + 4 * orbit * y * sin(anomaly) * cos(2 * mean)
        - 0.5 * y * y * sin(4 * mean)
        - 1.25 * orbit * orbit * sin(2 * anomaly)
    )
    return Sun(asin(sin(tilt) * sin(longitude)), degrees(equation) * _DEGREE_S)


class Solar(Timing):
    """One event of each day at a place; on days without it nothing, or their noon."""

    __slots__ = ("_altitude", "_lat", "_lon_s", "_noon", "_offset_ms", "_way")

    def __init__(
        self, event: str, lat: float, lon: float, offset_s: int = 0, *, noon: bool = False
    ) -> None:
        self._way, altitude = EVENTS[event]
        self._altitude = radians(altitude)
        self._lat = radians(lat)
        self._lon_s = lon * _DEGREE_S
        self._offset_ms = offset_s * 1000
        self._noon = noon

    def next(self, after_ms: int) -> Slot | None:
        date = self._date(after_ms) - 1
        for day in range(date, date + _SEARCH_DAYS + 2):
            slot = self._on(day)
            if slot is not None and slot.at_ms > after_ms:
                return slot
        return None

    def prev(self, before_ms: int) -> Slot | None:
        date = self._date(before_ms) + 1
        for day in range(date, date - _SEARCH_DAYS - 2, -1):
            slot = self._on(day)
            if slot is not None and slot.at_ms < before_ms:
                return slot
        return None

    def _date(self, at_ms: int) -> int:
        """The day of the mean sun at this place."""
        return int(((at_ms - self._offset_ms) / 1000 + self._lon_s) // DAY_S)

    def _on(self, day: int) -> Slot | None:
        at = self._event(day)
        if at is not None:
            return utc_slot(round(at) * 1000 + self._offset_ms)
        if not self._noon:
            return None
        return utc_slot(round(self._settle(day, _NOON) or 0) * 1000 + self._offset_ms, "polar")

    def _event(self, day: int) -> float | None:
        return self._settle(day, self._way)

    def _settle(self, day: int, way: int) -> float | None:
        noon = day * DAY_S + DAY_S / 2 - self._lon_s
        at = noon
        for _ in range(_ROUNDS):
            sun = sun_at(at)
            angle = self._angle(sun, way)
            if angle is None:
                return None
            was, at = at, noon - sun.equation_s + angle
            if abs(at - was) < _STANDS_S:
                break
        return at

    def _angle(self, sun: Sun, way: int) -> float | None:
        """Seconds from the noon of the sun to the event; None where it does not happen."""
        if way == _NOON:
            return 0.0
        if way == _MIDNIGHT:
            return -DAY_S / 2
        flat = cos(self._lat) * cos(sun.declination)
        height = sin(self._altitude) - sin(self._lat) * sin(sun.declination)
        if abs(height) > abs(flat):
            return None
        return way * degrees(acos(height / flat)) * _DEGREE_S
