"""What the template language can say of a value: words that its interval, verdict or setting chooses, and its print."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from her2study import words
from her2study.evaluation.wording import model_words, p_words
from her2study.reporting.judgement import FAILS, HOLDS, UNTESTED
from her2study.reporting.manuscript.material import Value
from her2study.types import StudyError

NOT_ESTIMATED = "could not be estimated"

SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()


def choose(
    value: Value,
    *,
    unclear: str,
    better: str = "",
    worse: str = "",
    above: str = "",
    below: str = "",
    than: float = 0.0,
    absent: str | None = None,
) -> str:
    """Words by the interval alone: wholly above ``than``, wholly below, or neither.

    ``better`` and ``worse`` are other names of ``above`` and ``below``. ``absent`` is for a value that could not be
    estimated or has no interval; without it such a value is an error.
    """
    if not isinstance(value, Value):
        raise StudyError(f"choose() needs a value with an interval, found {value!r}")
    if not (better or above) or not (worse or below):
        raise StudyError(f"choose(v.{value.name}): give words for better and worse (or above and below), and unclear")
    if value.low is None or value.high is None:
        if absent is None:
            raise StudyError(f'value {value.name!r} has no interval to choose words by; add absent="..." for that')
        return absent
    if value.low > than:
        return better or above
    return worse or below if value.high < than else unclear


def judged(value: Value, *, holds: str, fails: str, untested: str) -> str:
    """Words by the verdict on a claim, which the interval gave (:mod:`her2study.reporting.judgement`)."""
    told = {HOLDS: holds, FAILS: fails, UNTESTED: untested}
    if value.value not in told:
        raise StudyError(f"value {value.name!r} is {value.value!r} and no verdict; verdicts are named verdict_<claim>")
    return told[value.value]


def setting(value: str, **words_of: str) -> str:
    """Words by a setting of the study, never by a result: ``setting(s.network.objective, labels="...", ...)``."""
    if not isinstance(value, str):
        raise StudyError(f"setting() chooses words by a setting that is a word, found {value!r}")
    if value not in words_of:
        raise StudyError(f"setting(): no words for {value!r}; there are words for {', '.join(words_of)}")
    return words_of[value]


def share(part: Value, whole: Value) -> str:
    """``45 of 140 (32.1%)``."""
    if whole.number <= 0 or part.number > whole.number:
        raise StudyError(f"{part.name} = {part.text} is no part of {whole.name} = {whole.text}")
    percent = words.number(part.number / whole.number, 1, percent=True)
    return f"{part.text} of {whole.text} ({percent}%)"


def filters(confidence: float) -> dict[str, Callable]:
    """What may stand behind a bar, by name."""
    percent = words.percent_of(confidence)

    def digits(value: Value, decimals: int) -> Value:
        """The same with so many decimals, as tables and figures print it."""
        if value.value is None:
            return value
        bounded = value.low is not None and value.high is not None
        bounds = (value.low, value.high, decimals)
        text = words.interval(value.number, *bounds) if bounded else words.number(value.number, decimals)
        return replace(value, text=text, decimals=decimals)

    def ci(value: Value, decimals: int | None = None) -> str:
        """``0.71 (95% CI 0.52 to 0.90)``: for the first mention of an interval."""
        if value.low is None or value.high is None:
            raise StudyError(f"value {value.name!r} has no interval to print")
        text = value.text if decimals is None else digits(value, decimals).text
        return text.replace("(", f"({percent} CI ", 1)

    def estimate(value: Value) -> str:
        """The estimate without its interval."""
        return value.text.partition(" (")[0]

    def as_percent(value: Value | float, decimals: int = 1) -> str:
        """A fraction as a percentage, with its interval: ``44.1% (30.2 to 58.9)``; a setting: ``95%``."""
        if not isinstance(value, Value):
            return words.percent_of(value)
        if value.value is None or words.number(value.number) == words.ABSENT:
            return NOT_ESTIMATED
        text = f"{words.number(value.number, decimals, percent=True)}%"
        if value.low is None or value.high is None:
            return text
        return f"{text} ({words.reach(value.low, value.high, decimals, percent=True)})"

    def p(value: Value) -> str:
        """``p = 0.032`` or ``p < 0.001``."""
        return f"*p* {NOT_ESTIMATED if value.value is None else p_words(value.number)}"

    def counted(value: Value, one: str, many: str = "") -> str:
        """``no patients``, ``1 patient``, ``19 patients``."""
        number = value.number if isinstance(value, Value) else value
        noun = one if number == 1 else many or f"{one}s"
        return f"{'no' if number == 0 else f'{number:,}'} {noun}"

    def spelt(value: Value | int) -> str:
        """A count up to twelve as a word: ``four``."""
        number = value.number if isinstance(value, Value) else value
        return SMALL[number] if number in range(len(SMALL)) else f"{number:,}"

    def sentence(value: Value | str) -> str:
        """Words as the start of a sentence."""
        text = str(value)
        return text[:1].upper() + text[1:]

    def listed(value: Value | str) -> str:
        """Printed names of predictors inside a sentence: small letters, no units; nothing as ``no predictor``."""
        names = [re.sub(r" \([^)]*\)$", "", name) for name in str(value).split(", ") if name]
        small = [name[0].lower() + name[1:] if name[1:2].islower() else name for name in names]
        return words.listing(small) if small else "no predictor"

    def first_sentence(value: Value | str) -> str:
        """Computed words up to their first full stop."""
        return str(value).partition(". ")[0].rstrip(".") + "."

    def named(names: Sequence[str]) -> str:
        """Names of the settings as words: ``pre-contrast, wash-in and wash-out``."""
        return words.listing([{"pre": "pre-contrast"}.get(name, name.replace("_", "-")) for name in names])

    def plain(number: int) -> str:
        """A number that counts nothing, without thousands' marks."""
        return str(number)

    def reach(value: Value) -> str:
        """The interval alone: ``0.52 to 0.90``."""
        if value.low is None or value.high is None:
            raise StudyError(f"value {value.name!r} has no interval to print")
        return words.reach(value.low, value.high, value.decimals)

    def model(value: Value | str) -> str:
        """A model in the middle of a sentence: ``the random forest``."""
        return model_words(str(value))

    def times(values: Sequence[float]) -> str:
        """``1.5 × 1.5 × 1.5``."""
        return " × ".join(f"{value:g}" for value in values)

    own = (digits, ci, estimate, p, counted, spelt, sentence, listed, first_sentence, named, plain, reach, model, times)
    return {"percent": as_percent, **{function.__name__: function for function in own}}
