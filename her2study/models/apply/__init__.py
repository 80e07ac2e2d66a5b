"""A frozen model applied to patients it has never seen; nothing here can fit anything.

``tables`` finds the patients' table and its columns, ``patients`` turns cells into typed values and says of each
that cannot be used why, ``scans`` turns files into network channels or a reason, ``flags`` says what is unlike the
training patients, ``scores`` gives probabilities, ``drivers`` what they are made of, ``estimator`` the whole as an
object in the manner of scikit-learn.
"""

from her2study.models.apply.estimator import FrozenModel, load_bundle
from her2study.models.apply.patients import NewPatients, read_new_patients
from her2study.models.apply.scores import Applied, score_patients

__all__ = ["Applied", "FrozenModel", "NewPatients", "load_bundle", "read_new_patients", "score_patients"]
