"""What the radiomic features share: with each other, with the lesion's size, with the centre. No outcome is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

SAME = 0.9
"""Features whose rank correlation reaches this say nearly the same."""

CENTRE_SHARE = 0.14
"""Share of variance between centres from which it is called large (Cohen 1988)."""


def feature_properties(features: pd.DataFrame, dictionary: pd.DataFrame, centre: pd.Series) -> pd.DataFrame:
    """One row a feature: what it shares with others, with size and with the centre.

    Parameters
    ----------
    features : DataFrame
        ``patient_id`` and the features.
    dictionary : DataFrame
        As made by :func:`~her2study.imaging.radiomics.feature_dictionary`.
    centre : Series
        Centre of each patient, in row order of ``features``.

    Returns
    -------
    DataFrame
        ``feature, label, family, image, missing`` (patients without a value), ``group`` (features of one
        group correlate with ``|rho| >= 0.9``, complete linkage), ``size_correlation`` (Spearman's rho with
        the lesion's volume) and ``centre_share`` (eta squared of the ranks between centres).
    """
    values = features.drop(columns="patient_id")
    ranks = values.rank()
    rho = ranks.corr().fillna(0).to_numpy(copy=True)  # Pearson of ranks is Spearman's rho
    np.fill_diagonal(rho, 1)
    alike = squareform(np.clip(1 - np.abs(rho), 0, None), checks=False)
    group = fcluster(linkage(alike, "complete"), 1 - SAME, "distance") if len(rho) > 1 else np.ones(len(rho), int)
    between = ranks.groupby(centre.to_numpy()).transform("mean").where(ranks.notna())
    spread = ranks.var(ddof=0)
    properties = pd.DataFrame(
        {
            "missing": values.isna().sum(),
            "group": group,
            "size_correlation": rho[list(values).index("shape_volume_ml")],
            "centre_share": (between.var(ddof=0) / spread.where(spread > 0)).fillna(0),
        },
        index=values.columns,
    )
    named = dictionary[["feature", "label", "family", "image"]]
    return named.merge(properties.rename_axis("feature").reset_index(), on="feature", validate="one_to_one")


def family_table(properties: pd.DataFrame) -> pd.DataFrame:
    """The properties counted by family and image, in the order of the dictionary."""
    counted = properties.assign(
        missing_values=properties["missing"],
        follows_size=properties["size_correlation"].abs() >= SAME,
        differs_by_centre=properties["centre_share"] >= CENTRE_SHARE,
    ).groupby(["family", "image"], sort=False)
    table = counted.agg(
        features=("feature", "size"),
        groups=("group", "nunique"),
        missing_values=("missing_values", "sum"),
        follows_size=("follows_size", "sum"),
        differs_by_centre=("differs_by_centre", "sum"),
    )
    return table.reset_index()


def describe_features(properties: pd.DataFrame, patients: int) -> str:
    """The properties as sentences."""
    n, groups = len(properties), properties["group"].nunique()
    size = int((properties["size_correlation"].abs() >= SAME).sum())
    centres = int((properties["centre_share"] >= CENTRE_SHARE).sum())
    missing = int(properties["missing"].sum())
    most = properties.loc[properties["centre_share"].idxmax()]
    return (
        f"{n} features were measured in {patients} lesions; {missing} of the {n * patients} values are missing. "
        f"They form {groups} groups of features that say nearly the same (|ρ| ≥ {SAME:g}), so a model is offered "
        f"about {groups} measurements and not {n}. {size} features follow the lesion's volume that closely. "
        f"For {centres} features the centre explains at least {100 * CENTRE_SHARE:.0f}% of the variance; "
        f"most for {most['label']!r} ({100 * most['centre_share']:.0f}%)."
    )
