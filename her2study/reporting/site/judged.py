"""What was judged: the claims of the paper, the audit, and every number by its name."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from her2study.evaluation.findings import ATTENTION, INFORMATION, NOT_TESTED, PASSED
from her2study.reporting.sentences import conclusion, printed_claims
from her2study.reporting.site.pages import Site
from her2study.reporting.style import MODEL_LABELS, model_label
from her2study.reporting.values import gather_values
from her2study.words import decimals_for, interval, number

CLAIMS, AUDIT, NUMBERS = "claims.html", "audit.html", "numbers.html"

AUDIT_ORDER = (ATTENTION, PASSED, INFORMATION, NOT_TESTED)
"""What a reader should look at comes first."""


def write_claims(site: Site) -> None:
    """Each claim, what was published, what was found, and the verdict with its reason."""
    claims = site.content.tables.get("claims")
    if claims is None:
        return
    rows = printed_claims(claims).to_dict("records")
    said = conclusion(claims, site.content.simulated)
    site.page(CLAIMS, "claims.html", "Claims of the paper", rows=rows, said=[said[0], *said[len(rows) + 1 :]])
    for place, row in enumerate(rows, start=1):
        site.find("claim", row["claim"], f"{CLAIMS}#claim-{place}", f"{row['verdict']} {row['reason']}")


def write_audit(site: Site) -> None:
    """Every check under its verdict."""
    audit = site.content.tables.get("audit")
    if audit is None:
        return
    present = set(audit["verdict"])
    verdicts = [*(verdict for verdict in AUDIT_ORDER if verdict in present), *sorted(present - set(AUDIT_ORDER))]
    groups = [(verdict, [_finding(row) for row in _rows(audit, verdict)]) for verdict in verdicts]
    site.page(AUDIT, "audit.html", "Audit", groups=groups)
    for verdict, rows in groups:
        for row in rows:
            site.find("audit", row["check"], AUDIT, f"{verdict} {row['detail']}")


def write_numbers(site: Site) -> None:
    """Every stored value as a sentence would print it."""
    if not site.content.numbers:
        return
    rows = [(name, value["text"]) for name, value in gather_values(site.content.numbers).items()]
    site.page(NUMBERS, "numbers.html", "Numbers by name", rows=rows)
    for name, text in rows:
        site.find("number", name, f"{NUMBERS}#{name}", text)


def _rows(audit: pd.DataFrame, verdict: str) -> list[dict[str, Any]]:
    return audit[audit["verdict"] == verdict].to_dict("records")


def _finding(row: dict[str, Any]) -> dict[str, str]:
    """One check with its number as printed and its models by their printed names."""
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    if pd.isna(value):
        text = ""
    elif pd.notna(low):
        text = interval(value, low, high)
    else:
        text = number(value, 0 if value.is_integer() else decimals_for([value]))
    check = re.sub(rf"\b({'|'.join(MODEL_LABELS)})\b", lambda found: model_label(found[0]), str(row["check"]))
    return {"check": check[:1].upper() + check[1:], "value": text, "detail": str(row["detail"])}
