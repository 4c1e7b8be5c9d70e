"""Draws, plays and encodes the clip of the demo class: src/homeroom/media/sample.flv.

    .venv/bin/python scripts/make_sample.py [OUTPUT] [--still SECOND PICTURE.png]

It needs ffmpeg. The clip is our own work, under the licence of this repository; its end goes over
into its beginning, in picture and in sound.
"""

import argparse
import math
import subprocess
import tempfile
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

OUTPUT: Final = Path(__file__).parents[1] / "src/homeroom/media/sample.flv"
WIDTH, HEIGHT, RATE = 1280, 720, 25
FINER: Final = 3
"""Pictures are drawn so many times as large, and made smaller: that smooths every edge."""
CHAPTER: Final = 4.0
"""Seconds for which one fraction is shown; its music is one bar."""
CHANGE: Final = 1.1
"""Seconds in which one fraction becomes the next."""

Colour = tuple[int, int, int]
Point = tuple[float, float]
PAPER: Final = (252, 248, 241)
SHADE: Final = (245, 238, 226)
EMPTY: Final = (233, 225, 211)
INK: Final = (38, 45, 66)
QUIET: Final = (122, 122, 130)


@dataclass(frozen=True)
class Fraction:
    """One chapter of the lesson."""

    taken: int
    parts: int
    words: str
    colour: Colour


CHAPTERS: Final = (
    Fraction(1, 2, "one half", (231, 111, 81)),
    Fraction(1, 3, "one third", (42, 157, 143)),
    Fraction(2, 3, "two thirds", (34, 137, 160)),
    Fraction(3, 4, "three quarters", (92, 107, 192)),
    Fraction(5, 6, "five sixths", (168, 92, 158)),
    Fraction(6, 6, "six sixths make one", (222, 138, 52)),
)
MOST: Final = max(chapter.parts for chapter in CHAPTERS)
LENGTH: Final = CHAPTER * len(CHAPTERS)

# --- the picture ------------------------------------------------------------------------------

PIE: Final = (388.0, 338.0)
RADIUS: Final = 196.0
LINE: Final = (192.0, 1088.0, 626.0)
"""Where the number line begins and ends, and its height."""
TEXT_X: Final = 870.0


def ease(share: float) -> float:
    """Return how far a movement has come that begins and ends gently."""
    share = min(max(share, 0.0), 1.0)
    return share * share * share * (share * (share * 6 - 15) + 10)


def between(old: float, new: float, share: float) -> float:
    """Return the number that lies a share of the way between two."""
    return old + (new - old) * share


def mix_colours(old: Colour, new: Colour, share: float) -> Colour:
    """Return the colour that lies a share of the way between two."""
    red, green, blue = (round(between(*pair, share)) for pair in zip(old, new, strict=True))
    return red, green, blue


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow carries."""
    return ImageFont.load_default(size * FINER)


class Canvas:
    """Draws in the coordinates of the finished picture."""

    def __init__(self, picture: Image.Image) -> None:
        self._draw = ImageDraw.Draw(picture)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """Draw a filled circle."""
        self._draw.ellipse(_box(centre, radius), fill=colour)

    def slice(self, centre: Point, radius: float, turns: Point, colour: Colour) -> None:
        """Draw a part of a disc, from one share of a turn to another, clockwise from the top."""
        first, last = (360 * turn - 90 for turn in turns)
        self._draw.pieslice(_box(centre, radius), first, last, fill=colour)

    def line(self, first: Point, last: Point, width: float, colour: Colour) -> None:
        """Draw a line with round ends."""
        ends = [tuple(FINER * value for value in point) for point in (first, last)]
        self._draw.line([*ends[0], *ends[1]], fill=colour, width=round(width * FINER))
        for point in (first, last):
            self.disc(point, (width - 1 / FINER) / 2, colour)

    def text(
        self, place: Point, words: str, size: float, colour: Colour, anchor: str = "mm"
    ) -> None:
        """Write some words, a little bolder than the font has them."""
        x, y = (FINER * value for value in place)
        bolder = size / 75
        self._draw.text(
            (x, y), words, colour, font(size), anchor, stroke_width=bolder, stroke_fill=colour
        )


def _box(centre: Point, radius: float) -> list[float]:
    x, y = centre
    return [FINER * value for value in (x - radius, y - radius, x + radius, y + radius)]


def edge(fraction: Fraction, place: int) -> float:
    """Return where a cut lies, from 0 to 1; the cuts that are not needed lie at the end."""
    return min(place, fraction.parts) / fraction.parts


@dataclass(frozen=True)
class Moment:
    """The state at one moment: the way from one fraction to another."""

    old: Fraction
    new: Fraction
    share: float
    place: int
    second: float

    @classmethod
    def at(cls, second: float) -> "Moment":
        """Return the moment of a second."""
        place = int(second // CHAPTER) % len(CHAPTERS)
        share = (second % CHAPTER) / CHANGE
        return cls(CHAPTERS[place - 1], CHAPTERS[place], share, place, second)

    @property
    def colour(self) -> Colour:
        """The colour of what is taken."""
        return mix_colours(self.old.colour, self.new.colour, ease(self.share))

    @property
    def value(self) -> float:
        """The part that is filled."""
        old, new = (fraction.taken / fraction.parts for fraction in (self.old, self.new))
        return between(old, new, ease(self.share))

    def edges(self) -> list[float]:
        """Return where the cuts lie."""
        return [
            between(edge(self.old, place), edge(self.new, place), ease(self.share))
            for place in range(MOST + 1)
        ]

    def fill_colour(self, place: int) -> Colour:
        """Return the colour of a part; they are filled one after the other."""
        old, new = (place < fraction.taken for fraction in (self.old, self.new))
        colour = mix_colours(self.colour, PAPER, 0.14 * (place % 2))
        return mix_colours(EMPTY, colour, between(old, new, ease(self.share * 1.5 - place * 0.08)))


@cache
def background() -> Image.Image:
    """Return what never changes."""
    picture = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    canvas = Canvas(picture)
    canvas.disc((1216, -40), 210, SHADE)
    canvas.disc((8, 790), 214, SHADE)
    canvas.text((72, 66), "Fractions", 40, INK, "lm")
    canvas.text((72, 106), "Mathematics 7a", 21, QUIET, "lm")
    return picture


def draw_picture(second: float) -> Image.Image:
    """Return the picture of a second."""
    picture = background().copy()
    canvas, moment = Canvas(picture), Moment.at(second)
    _draw_chapters(canvas, moment)
    _draw_pie(canvas, moment)
    _draw_fraction(canvas, moment)
    _draw_line(canvas, moment)
    return picture.reduce(FINER)


def _draw_chapters(canvas: Canvas, moment: Moment) -> None:
    """Draw a dot a chapter: the present one is a dash."""
    right = 1208.0
    for place in reversed(range(len(CHAPTERS))):
        new, old = place == moment.place, place == (moment.place - 1) % len(CHAPTERS)
        on = between(old, new, ease(moment.share))
        width = between(0, 24, on)
        colour = mix_colours((214, 204, 187), moment.colour, on)
        canvas.line((right - width, 66), (right, 66), 10, colour)
        right -= width + 22


def _draw_pie(canvas: Canvas, moment: Moment) -> None:
    sway = 0.012 * math.sin(2 * math.pi * moment.second / (2 * CHAPTER))
    breath = 2.5 * math.sin(2 * math.pi * moment.second / CHAPTER)
    radius = RADIUS + breath
    canvas.disc((PIE[0], PIE[1] + 7), radius + 17, (241, 233, 219))
    canvas.disc(PIE, radius + 16, (255, 255, 255))
    edges = moment.edges()
    for place, (first, last) in enumerate(pairwise(edges)):
        if last - first > 0.0005:  # noqa: PLR2004  narrower than a pixel
            canvas.slice(PIE, radius, (first + sway, last + sway), moment.fill_colour(place))
    for place, cut in enumerate(edges[:-1]):
        # Cuts that come together become thinner, or they would cover what is between them.
        room = min(cut - edges[place - 1], edges[place + 1] - cut) if place else 1.0
        width = 9 * min(room / 0.07, 1.0)
        angle = 2 * math.pi * (cut + sway)
        rim = (PIE[0] + (radius + 6) * math.sin(angle), PIE[1] - (radius + 6) * math.cos(angle))
        if width >= 1:
            canvas.line(PIE, rim, width, (255, 255, 255))


def _draw_fraction(canvas: Canvas, moment: Moment) -> None:
    """Draw the fraction and its name: the old one goes up, the new one follows from below."""
    gone, come = ease(moment.share * 2), ease(moment.share * 2 - 0.9)
    for fraction, seen, slide in (
        (moment.old, 1 - gone, -16 * gone),
        (moment.new, come, 16 * (1 - come)),
    ):
        if seen <= 0:
            continue
        ink, colour = mix_colours(PAPER, INK, seen), mix_colours(PAPER, fraction.colour, seen)
        canvas.text((TEXT_X, 226 + slide), str(fraction.taken), 168, colour)
        canvas.text((TEXT_X, 404 + slide), str(fraction.parts), 168, ink)
        canvas.text((TEXT_X, 524 + slide * 0.6), fraction.words, 42, ink)
    canvas.line((TEXT_X - 74, 315), (TEXT_X + 74, 315), 9, INK)


def _draw_line(canvas: Canvas, moment: Moment) -> None:
    left, right, y = LINE
    reached = between(left, right, moment.value)
    canvas.line((left, y), (right, y), 8, EMPTY)
    canvas.line((left, y), (reached, y), 8, moment.colour)
    for place, cut in enumerate(moment.edges()):
        x = between(left, right, cut)
        is_end = place == 0 or cut > 1 - 1e-9
        height = 15.0 if is_end else 10.0
        colour = mix_colours(moment.colour, INK, 0.25) if x <= reached + 1 else (190, 180, 164)
        canvas.line((x, y - height), (x, y + height), 4, colour)
    canvas.text((left, y + 44), "0", 30, INK)
    canvas.text((right, y + 44), "1", 30, INK)
    pulse = 1.5 * math.sin(2 * math.pi * moment.second / (CHAPTER / 2))
    canvas.disc((reached, y), 19 + pulse, (255, 255, 255))
    canvas.disc((reached, y), 14 + pulse, moment.colour)


def pictures() -> Iterator[bytes]:
    """Return every picture of the clip, 8 bits a colour."""
    for number in range(round(LENGTH * RATE)):
        yield draw_picture(number / RATE).tobytes()


# --- the sound --------------------------------------------------------------------------------

SOUND_RATE: Final = 48_000
"""The clip is a whole number of AAC frames of 1024 samples long at this rate."""
BARS: Final = (
    # A bass note, and the notes of a chord over it, as MIDI numbers them.
    (48, (64, 67, 72, 76)),
    (52, (64, 67, 71, 76)),
    (45, (64, 69, 72, 76)),
    (53, (65, 69, 72, 77)),
    (50, (65, 69, 74, 77)),
    (43, (65, 67, 71, 74)),
)
ORDER: Final = (0, 2, 1, 3, 2, 1, 3, 2)
"""Which note of the chord sounds at each half second."""


def play_tune() -> bytes:
    """Return one turn of the tune, 16 bits a sample; what rings on at the end is in the beginning.

    Each note is struck like a bar of wood: overtones that die away sooner than the tone.
    """
    sound = [0.0] * round(LENGTH * SOUND_RATE)
    for bar, (bass, chord) in enumerate(BARS):
        begin = bar * CHAPTER
        _strike(sound, begin, bass, loudness=0.22, ring=2.6)
        for step, note in enumerate(ORDER):
            loudness = 0.15 if step % 4 == 0 else 0.11
            _strike(sound, begin + step * CHAPTER / len(ORDER), chord[note], loudness, ring=1.5)
    return array("h", (round(32_767 * 0.5 * math.tanh(value)) for value in sound)).tobytes()


def _strike(sound: list[float], begin: float, note: int, loudness: float, ring: float) -> None:
    turn = 2 * math.pi * 440 * 2 ** ((note - 69) / 12) / SOUND_RATE
    first, count = round(begin * SOUND_RATE), round(ring * SOUND_RATE)
    for place in range(count):
        second = place / SOUND_RATE
        swell = min(second / 0.006, 1.0) * (1 - place / count)
        tone = (
            math.sin(turn * place) * math.exp(-3.0 * second)
            + 0.28 * math.sin(2 * turn * place) * math.exp(-6.0 * second)
            + 0.10 * math.sin(4 * turn * place) * math.exp(-14.0 * second)
        )
        sound[(first + place) % len(sound)] += loudness * swell * tone


# --- the file ---------------------------------------------------------------------------------

FFMPEG: Final = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y")
# Same input, same bytes: no version of an encoder is written into the file.
EXACT: Final = ("-fflags", "+bitexact", "-flags", "+bitexact")


def make(output: Path) -> None:
    """Make the clip."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("picture.mkv", "tune.wav", "turns.mkv", "turn.mkv")
        picture, tune, turns, turn = (Path(folder, name) for name in names)
        _encode_pictures(picture)
        with wave.open(str(tune), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SOUND_RATE)
            # Three turns: only the middle one begins and ends in the middle of the tune.
            file.writeframes(play_tune() * 3)
        _ffmpeg("-i", str(tune), "-c:a", "aac", "-b:a", "40k", str(turns))
        middle = ("-ss", str(LENGTH), "-t", str(LENGTH))
        _ffmpeg("-i", str(turns), *middle, "-c", "copy", str(turn))
        _ffmpeg("-i", str(picture), "-i", str(turn), "-c", "copy", *EXACT, str(output))
    print(f"{output}: {output.stat().st_size / 1000:.0f} kB")


def _encode_pictures(output: Path) -> None:
    """Encode the pictures as live encoders should: a key frame every second, no B-frames."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE))
    colours = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    codec = ("-c:v", "libx264", "-profile:v", "main", "-preset", "veryslow", "-tune", "animation")
    groups = ("-bf", "0", "-g", str(RATE), "-keyint_min", str(RATE), "-sc_threshold", "0")
    command = [*FFMPEG, *raw, "-i", "-", "-vf", colours, *codec, *groups, "-crf", "29"]
    command += [*tags, str(output)]
    command.remove("-nostdin")
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None  # noqa: S101  it is a pipe
        for picture in pictures():
            encoder.stdin.write(picture)
    if encoder.returncode != 0:
        raise SystemExit(encoder.returncode)


def _ffmpeg(*words: str) -> None:
    subprocess.run([*FFMPEG, *words], check=True)


def main() -> None:
    """Make the clip, or draw one picture of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=OUTPUT)
    parser.add_argument("--still", nargs=2, metavar=("SECOND", "PICTURE"))
    arguments = parser.parse_args()
    if arguments.still:
        second, path = arguments.still
        draw_picture(float(second)).save(path)
    else:
        make(arguments.output)


if __name__ == "__main__":
    main()
