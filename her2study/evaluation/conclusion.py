"""The answer of a study in a few sentences, by whoever judges its models best."""

from __future__ import annotations

import pandas as pd

from her2study.evaluation.compare import OWN_MODELS
from her2study.evaluation.judges import SHARED, judges_sentence, judging_split
from her2study.evaluation.statements import optimism_sentences
from her2study.evaluation.verdicts import POOR_AUC, difference_sentences, discrimination_sentences
from her2study.evaluation.wording import model_words, split_words
from her2study.words import listing


def conclusion(
    aucs: pd.DataFrame,
    delong: pd.DataFrame,
    outcome: str,
    confidence: float = 0.95,
    optimism: pd.DataFrame | None = None,
    shared: bool = False,
) -> list[str]:
    """The study's answer in a few sentences, from the patients who judge best; absent models are named.

    Parameters
    ----------
    aucs, delong : DataFrame
        Of every split; external patients count where there are any, else internal, else development out of fold.
    optimism : DataFrame, optional
        From :func:`~her2study.evaluation.optimism.optimism_table`: what the sentences add where nobody is external.
    shared : bool
        External patients are of the centres of development, see :func:`~her2study.evaluation.judges.shared_centres`.
    """
    judge = judging_split(aucs["split"])
    here, where = aucs[aucs["split"] == judge], split_words(judge)
    above = here[(here["auc_low"] > 0.5) & (here["auc_high"] > here["auc_low"])]
    sentences = []
    absent = [model for model in ("dscore", "combined") if model not in set(aucs["model"])]
    if "dscore" in absent:
        named = listing([model_words(model) for model in absent])
        sentences.append(f"Not part of this study: {named}, for which images are needed.")
    elif absent:
        sentences.append("Not part of this study: the combined model, for which clinical predictors are needed.")
    if judge != "external":
        sentences.append(judges_sentence(aucs["split"]))
    if above.empty:
        sentences.append(
            f"No model tells {outcome} from other tumours better than chance in {where}: of {len(here)} "
            f"models none has an interval above 0.5, and the highest upper limit is {here['auc_high'].max():.2f}."
        )
    else:
        best = here["auc_high"].max()
        sentences.append(
            f"In {where} {len(above)} of {len(here)} models have an AUC interval above 0.5"
            + (f", but none reaches {POOR_AUC:.2f}: discrimination is poor." if best < POOR_AUC else ".")
        )
    if shared:
        sentences.append(SHARED)
    own = here[here["model"].isin(OWN_MODELS)]
    own_pairs = delong[(delong["split"] == judge) & delong["model_a"].isin(OWN_MODELS)]
    told = [*sentences, *discrimination_sentences(own, outcome), *difference_sentences(own_pairs, confidence)]
    return told if optimism is None or judge == "external" else [*told, *optimism_sentences(optimism)]
