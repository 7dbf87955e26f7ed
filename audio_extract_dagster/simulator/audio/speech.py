"""A voice for the recordings: synthetic, speech-like, telephone quality, and nobody's.

Formant synthesis: a glottal pulse train or noise excites three resonators whose frequencies walk
from vowel to vowel in the rhythm of spoken Spanish. It says nothing, but it has syllables, pitch
and pauses, so that players, silence detectors and codecs meet what they meet on a phone line.

`speech.opus` beside this module is the same voice, encoded once. It was made with

    python -c "import sys; from audio_extract_dagster.simulator.audio.speech import synthesise; \
               sys.stdout.buffer.write(synthesise(30.0).tobytes())" |
    ffmpeg -f s16le -ar 8000 -ac 1 -i - -c:a libopus -b:a 12k -frame_duration 20 \
           -application voip -map_metadata -1 -fflags +bitexact speech.opus

File formats are not made here: see `wav.py` and `ogg.py`.
"""

from __future__ import annotations

import math
import random
from array import array
from typing import NamedTuple

from audio_extract_dagster.simulator.chance import repeatable

RATE = 8000
"""Samples per second, as on a telephone line."""

_FORMANTS = {
    "a": (730.0, 1190.0, 2500.0),
    "e": (450.0, 1900.0, 2600.0),
    "i": (300.0, 2250.0, 2950.0),
    "o": (480.0, 900.0, 2500.0),
    "u": (320.0, 750.0, 2400.0),
}
_BANDWIDTHS = (80.0, 110.0, 160.0)
_LOUDNESS = (1.0, 0.55, 0.25)


class _Sound(NamedTuple):
    """One stretch of the signal: a vowel, a consonant's noise, or a pause (`gain` 0)."""

    samples: int
    formants: tuple[float, float, float]
    gain: float
    voiced: bool


def synthesise(seconds: float) -> array[int]:
    """Signed 16-bit mono samples at `RATE`; the same for the same length, at about 0.8 µs each."""
    rng = repeatable("speech")
    total = round(seconds * RATE)
    signal: list[float] = []
    while len(signal) < total:
        pitch = rng.uniform(115.0, 145.0)
        for sound in _phrase(rng):
            signal.extend(_resonate(sound, pitch, rng))
            pitch *= rng.uniform(0.96, 1.02)  # a phrase falls towards its end
    del signal[total:]
    peak = max(map(abs, signal), default=0.0) or 1.0
    scale = 20_000 / peak
    return array("h", [int(sample * scale) for sample in signal])


def _phrase(rng: random.Random) -> list[_Sound]:
    """Four to nine syllables, then a breath."""
    sounds = []
    for _ in range(rng.randint(4, 9)):
        vowel = _FORMANTS[rng.choice("aaaeeeiooou")]
        if rng.random() < 0.6:
            noise = (1400.0, 2400.0, 3400.0)
            sounds.append(_Sound(round(rng.uniform(0.03, 0.07) * RATE), noise, 0.10, voiced=False))
        length = round(rng.uniform(0.10, 0.20) * RATE)
        sounds.append(_Sound(length, vowel, rng.uniform(0.7, 1.0), voiced=True))
    sounds.append(_Sound(round(rng.uniform(0.25, 0.7) * RATE), _FORMANTS["a"], 0.0, voiced=False))
    return sounds


def _resonate(sound: _Sound, pitch: float, rng: random.Random) -> list[float]:
    """Three parallel two-pole resonators, written out: this loop is the cost of the module."""
    if not sound.gain:
        return [0.0] * sound.samples
    (a1, b1, g1), (a2, b2, g2), (a3, b3, g3) = (
        _resonator(*parameters)
        for parameters in zip(sound.formants, _BANDWIDTHS, _LOUDNESS, strict=True)
    )
    period = RATE / pitch
    next_pulse = 0.0
    x1 = x2 = y1 = y2 = z1 = z2 = 0.0
    uniform = rng.random
    out = []
    for index in range(sound.samples):
        if not sound.voiced:
            excitation = uniform() - 0.5
        elif index >= next_pulse:
            excitation = 1.0
            next_pulse += period
        else:
            excitation = 0.0
        x1, x2 = g1 * excitation + a1 * x1 - b1 * x2, x1
        y1, y2 = g2 * excitation + a2 * y1 - b2 * y2, y1
        z1, z2 = g3 * excitation + a3 * z1 - b3 * z2, z1
        out.append(x1 + y1 + z1)
    return _faded(out, sound.gain)


def _resonator(frequency: float, bandwidth: float, loudness: float) -> tuple[float, float, float]:
    """Feedback coefficients and input gain of one formant."""
    radius = math.exp(-math.pi * bandwidth / RATE)
    angle = 2 * math.pi * frequency / RATE
    return 2 * radius * math.cos(angle), radius * radius, loudness * (1 - radius)


def _faded(samples: list[float], gain: float) -> list[float]:
    """In and out over 12 ms, so that no sound begins with a click."""
    ramp = min(RATE * 12 // 1000, len(samples) // 2)
    last = len(samples) - 1
    for index in range(ramp):
        samples[index] *= index / ramp
        samples[last - index] *= index / ramp
    return [sample * gain for sample in samples]
