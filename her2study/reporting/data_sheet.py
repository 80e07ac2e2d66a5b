"""A data sheet (Gebru et al. 2021, doi 10.1145/3458723) of the study's patients.

Of simulated patients everything is known: how they were made stands in ``assumptions.yml``, and what came out in the
tables. Of real ones the sheet says what settings and tables know and marks the rest open. The planted truth of single
patients is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from her2study.reporting.sheets import OPEN, Grid, Sheet
from her2study.words import listing, number, spell

ROLES = {"clinical": "Clinical", "mri_reading": "MRI reading", "pathology": "Pathology", "acquisition": "Acquisition"}

COHORT = "cohort outcome".split()
"""Groups of assumptions that decide what can be found; all are in the table of assumptions."""


def data_sheet(settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], images: bool) -> Sheet:
    """The data sheet of a study's patients.

    Parameters
    ----------
    settings : mapping
        ``study.yml`` as plain values.
    tables : mapping
        Stored tables by name; a table that does not exist is left out.
    images : bool
        Whether there are scans and masks.
    """
    simulated = settings["source"]["kind"] == "simulated"
    kind = "simulated patients" if simulated else "patients"
    sheet = Sheet(f"Data sheet: the {kind} of {settings['name']}", simulated)
    _motivation(sheet, settings)
    _composition(sheet, settings, tables, images)
    _collection(sheet, settings, tables)
    _preparation(sheet, settings, tables, images)
    _uses(sheet, settings)
    _distribution(sheet, settings)
    return sheet


def _motivation(sheet: Sheet, settings: Mapping[str, Any]) -> None:
    paper = settings.get("paper")
    if not paper:
        sheet.add(
            "Motivation",
            f"Used for the study “{settings['title'].rstrip('.')}”, which tests no publication.",
            f"{OPEN}why the data were collected in the first place, by whom and with whose money.",
        )
        return
    if sheet.simulated:
        sheet.add(
            "Motivation",
            f"Made to run a published study again: {paper['citation'].rstrip('.')}. Of it this is public: "
            f"{paper['public'].rstrip('.')}. The patients show whether the analysis finds what was planted, and "
            "nothing where nothing was planted.",
            "They were made by the program of this repository from written assumptions; nobody was asked, scanned or "
            "treated, and no real patient's record was used.",
        )
        return
    sheet.add(
        "Motivation",
        f"Used to ask the question of a paper again: {paper['citation'].rstrip('.')}. Of the paper this is public: "
        f"{paper['public'].rstrip('.')}.",
        f"{OPEN}why the data were collected in the first place, by whom and with whose money.",
    )


def _composition(sheet: Sheet, settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], images: bool) -> None:
    what = "scans with lesion masks and a row of a clinical table" if images else "a row of a clinical table, no images"
    outcome = settings["outcome"]
    kept = [str(value) for value in (*outcome["positive"], *outcome["negative"])]
    sheet.add(
        "Composition",
        f"An instance is one {'simulated ' if sheet.simulated else ''}patient with breast cancer: {what}.",
        f"The label is {outcome['label']}, from the column {outcome['column']} (values in use: {', '.join(kept)}); "
        "a missing label is an exclusion and never a negative."
        + (" In this study labels are shuffled within centres on purpose." if outcome.get("permute") else ""),
    )
    flow = tables.get("cohort_flow")
    if flow is not None:
        shown = flow.sort_values("order")[["kind", "label", "n", "positives"]]
        shown = shown.assign(
            kind=shown["kind"].replace("included", "patients").map(str.capitalize), label=shown["label"].map(spell)
        )
        sheet.add("Composition", Grid("Flow of patients", shown.rename(columns={"label": "patients_are"})))
    sheet.add("Composition", Grid("Variables", _variables(settings, tables.get("missingness"))))
    protocol = tables.get("mri_protocol")
    if protocol is not None:
        wide = protocol[protocol["text"].notna()].assign(item=_protocol_item(protocol))
        wide = wide.pivot(index="item", columns="centre", values="text").reindex(dict.fromkeys(wide["item"]))  # noqa: PD010
        sheet.add("Composition", Grid("MRI by centre: count (percent) or median (range)", wide.reset_index()))
    if sheet.simulated:
        sheet.add("Composition", "There is nobody to identify. Names of patients are numbers within a centre.")
    else:
        sheet.add("Composition", f"{OPEN}whether anyone could be identified, directly or from what the data hold.")


def _variables(settings: Mapping[str, Any], missing: pd.DataFrame | None) -> pd.DataFrame:
    """Every variable with its kind, its levels or unit, its use, and the range of its missing share over centres."""
    rows = []
    for name, variable in settings["variables"].items():
        row = {
            "variable": variable["label"],
            "kind": f"{ROLES[variable['role']]}, {variable['type']}",
            "levels_or_unit": ", ".join(variable.get("levels") or []) or (variable.get("unit") or ""),
            "offered_to_models": "yes" if variable.get("candidate", True) and _candidate(settings, variable) else "no",
            "second_reader": "yes" if variable.get("second_reader") else "no",
        }
        if missing is not None:
            row["missing_by_centre_percent"] = _missing(missing[missing["variable"] == name])
        rows.append(row)
    return pd.DataFrame(rows)


def _candidate(settings: Mapping[str, Any], variable: Mapping[str, Any]) -> bool:
    return variable["role"] in settings["clinical"]["candidate_roles"]


def _missing(rows: pd.DataFrame) -> str:
    """``0 to 12.5`` over the centres."""
    known = rows["percent"].dropna()
    if known.empty:
        return ""
    return " to ".join(dict.fromkeys(number(end, 1) for end in (known.min(), known.max())))


def _protocol_item(protocol: pd.DataFrame) -> pd.Series:
    unit = protocol["unit"].astype("str").fillna("").map(lambda unit: f" ({unit})" if unit else "")
    level = protocol["level"].astype("str").fillna("").map(lambda level: f": {level}" if level else "")
    return protocol["label"] + unit + level


def _collection(sheet: Sheet, settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    assumptions = tables.get("assumptions")
    if not sheet.simulated:
        sheet.add(
            "Collection",
            f"{OPEN}how, when and where patients were recruited, who read the images and the pathology, what patients "
            "were told, and who approved it.",
            Grid("Choices of this study that the data do not make", _choices(assumptions))
            if assumptions is not None else None,
        )  # fmt: skip
        return
    centres, simulation = settings["centres"], settings["simulation"]
    roles = dict.fromkeys(centres["development"], "development")
    roles |= dict.fromkeys(centres["external"], "external validation")
    sizes = [
        f"{centres.get('names', {}).get(centre, centre)} {n} ({roles.get(centre, 'unused')})"
        for centre, n in simulation["included"].items()
    ]
    sheet.add(
        "Collection",
        f"{simulation['screened']} screened patients were drawn with the seed {settings['seed']}: a latent state of "
        "the lesion, from it the outcome, the readings of two readers, and a dynamic series of scans by a model of "
        f"contrast uptake and of each centre's scanner. Included by design: {listing(sizes)}.",
    )
    if assumptions is None:
        return
    assumed = int((assumptions["source"] == "assumed").sum())
    groups = assumptions.groupby("group", sort=False).agg(
        values=("name", "size"), assumed=("source", lambda s: int((s == "assumed").sum()))
    )
    groups = groups.assign(from_publications=groups["values"] - groups["assumed"]).reset_index()
    sheet.add(
        "Collection",
        f"{len(assumptions)} values were planted, each with a reason: {len(assumptions) - assumed} rest on a "
        f"publication, {assumed} are assumed.",
        Grid("Planted values by group", groups.assign(group=groups["group"].map(spell))),
        Grid("What decides the outcome", _choices(assumptions[assumptions["group"].isin(COHORT)])),
    )


def _choices(assumptions: pd.DataFrame) -> pd.DataFrame:
    """Assumptions as a table for people."""
    shown = assumptions[["name", "value", "unit", "reason", "source"]].astype("str").fillna("")
    return shown.assign(name=shown["name"].map(spell), value=shown["value"].astype(str)).rename(
        columns={"name": "assumption"}
    )


def _preparation(sheet: Sheet, settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], images: bool) -> None:
    mending = settings["source"].get("mending")
    reasons = [exclusion["reason"] for exclusion in settings.get("exclusions", [])]
    points = [
        f"Mended values are written in {mending} beside the settings, one by one."
        if mending
        else "No value is mended.",
        f"Excluded, in this order: {'; '.join(reasons)}." if reasons else "",
        "Missing values stay missing; each model fills them from its own training patients.",
    ]
    if images:
        imaging = settings["imaging"]
        spacing = " × ".join(f"{mm:g}" for mm in imaging["spacing_mm"])
        times = f"{imaging['early_seconds']:g} and {imaging['late_seconds']:g} s after injection"
        nearest = imaging.get("phase_choice", "nearest") == "nearest"
        chosen = f"the phases nearest to {times}" if nearest else f"the signal {times}, interpolated between phases"
        points.append(f"Scans are resampled to {spacing} mm around the lesion; used is {chosen}.")
    sheet.add("Preparation", [point for point in points if point])
    agreement = tables.get("agreement")
    if agreement is not None:
        columns = ["label", "n", "statistic", "agreement", "agreement_low", "agreement_high"]
        shown = agreement[columns].rename(columns={"label": "reading"})
        sheet.add("Preparation", Grid("Agreement of two readers", shown, settings["statistics"]["confidence"]))


def _uses(sheet: Sheet, settings: Mapping[str, Any]) -> None:
    if sheet.simulated:
        sheet.add(
            "Uses",
            "Fit for: testing an analysis end to end, teaching, comparing methods on patients whose truth is known.",
            "Not fit for: any statement about breast cancer, training a model that real patients will meet, sizing an "
            "effect. Effects, their number and even their signs are what somebody assumed.",
            "Known weakness: the lesions are made of a handful of signatures, so features designed with them in mind "
            "do better here than they would elsewhere; readers err independently; centres differ only as planted.",
        )
        return
    sheet.add(
        "Uses",
        ("Used here to test the claims of one paper. " if settings.get("paper") else "")
        + "A model of these patients carries the mixture of their centres.",
        f"{OPEN}what the data must not be used for, by licence, consent or sense.",
    )


def _distribution(sheet: Sheet, settings: Mapping[str, Any]) -> None:
    if sheet.simulated:
        sheet.add(
            "Distribution and maintenance",
            "The patients are made anew by the command make reproduce, the same from the same seed, and lie as NIfTI "
            "files and a table in MAMA-MIA's layout in the folder source/ of the results. The planted truth of each "
            "patient is kept apart in truth/, and no model reads it.",
            "They change only with the assumptions or the simulator; a run's manifest names the code that made them.",
        )
        return
    sheet.add(
        "Distribution and maintenance",
        "The source is read where it stands and never changed. Results hold rows of single patients (cohort.parquet, "
        "predictions.parquet and others): they may be passed on only as the data may.",
        f"{OPEN}where the data can be had, under which licence, and who corrects them.",
    )
