"""What an argument may be, and the sentence for one that it may not be."""

from __future__ import annotations

import argparse


def share(text: str) -> float:
    """A share between 0 and 1, both excluded."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1, both excluded; for 95% write 0.95")
    return value


def number(text: str) -> float:
    """A number with a decimal point."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write it like 0.5") from None


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def seed(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 0 or more")
    return int(text)


def rule(text: str) -> tuple[str, float | None]:
    """How thresholds are chosen: its name, and the target where there is one."""
    name, given, target = text.partition("=")
    if name == "youden" and not given:
        return name, None
    if name in ("sensitivity", "specificity") and given:
        return name, share(target)
    raise argparse.ArgumentTypeError(f"{text!r} must be youden, sensitivity=0.9 or specificity=0.9, for example")


def threshold(text: str) -> tuple[str, float]:
    """MODEL=VALUE, a probability."""
    model, given, value = text.rpartition("=")
    if not (model and given):
        raise argparse.ArgumentTypeError(f"{text!r}: write it as MODEL=VALUE, for example clinical=0.31")
    if not 0 <= number(value) <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a threshold is a probability from 0 to 1")
    return model, number(value)


def pair(text: str) -> tuple[str, str]:
    """Two models, A:B."""
    names = text.split(":")
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: write two models as A:B")
    return names[0], names[1]


def span(text: str) -> tuple[float, float]:
    """Two probabilities, LOW:HIGH."""
    ends = text.split(":")
    if len(ends) != 2 or not 0 < number(ends[0]) < number(ends[1]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write LOW:HIGH with 0 < LOW < HIGH < 1, for example 0.05:0.5")
    return number(ends[0]), number(ends[1])
