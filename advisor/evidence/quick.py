"""Quick models for looking, never for keeping: a linear one and a small forest, scored on rows they were not fitted on.

At most `settings.model_rows` rows take part, so that a look takes seconds.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from advisor.evidence.inputs import Inputs

    Array = np.ndarray[Any, Any]
    Folds = list[tuple[Array, Array]]

_ITERATIONS_OF_WORDS = 20  # far from converged and close enough: a look must not take a minute


def random_folds(answers: Array, classes: int, count: int, seed: int) -> Folds:
    """Folds at random, with each class spread evenly over them."""
    import numpy as np

    random = np.random.default_rng(seed)
    place = np.empty(len(answers), dtype=int)
    groups = [np.flatnonzero(answers == code) for code in range(classes)] if classes else [np.arange(len(answers))]
    start = 0
    for rows in groups:
        shuffled = random.permutation(rows)
        place[shuffled] = (np.arange(len(rows)) + start) % count
        start += len(rows)
    return _folds(place, count)


def group_folds(groups: Array, count: int, seed: int) -> Folds:
    """Folds that keep the rows of each group together."""
    import numpy as np

    names, codes = np.unique(groups, return_inverse=True)
    random = np.random.default_rng(seed)
    place = np.empty(len(names), dtype=int)
    place[random.permutation(len(names))] = np.arange(len(names)) % count
    return _folds(place[codes], count)


def block_folds(rows: int, count: int) -> Folds:
    """Folds of neighbouring rows, for rows in order of time."""
    import numpy as np

    return _folds(np.arange(rows) * count // max(rows, 1), count)


def _folds(place: Array, count: int) -> Folds:
    import numpy as np

    folds = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(count)]
    return [(train, test) for train, test in folds if len(train) and len(test)]


def out_of_fold(inputs: Inputs, answers: Array, classes: int, folds: Folds, model: str, seed: int) -> Array:
    """Probabilities (rows × classes) or predictions of rows by a model that never saw them."""
    import numpy as np

    found = np.zeros((len(answers), classes)) if classes else np.zeros(len(answers))
    for train, test in folds:
        matrix = inputs.matrix(train)
        found[test] = fit_and_predict(matrix[train], answers[train], matrix[test], classes, model, seed)
    return found


def fit_and_predict(train: Any, answers: Array, test: Any, classes: int, model: str, seed: int) -> Array:
    """Fit one quick model; probabilities over all classes, or numbers."""
    import numpy as np
    import sklearn

    # Each of a forest's trees would have its parameters checked again: a tenth of a look's time.
    with sklearn.config_context(skip_parameter_validation=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged is good enough for a look
        if not classes:
            fitted = _numbers_model(model, train.shape[1], seed).fit(train, answers)
            return np.asarray(fitted.predict(test))
        present = np.unique(answers)
        shares = np.bincount(answers, minlength=classes) / len(answers)
        chances = np.zeros((test.shape[0], classes))
        if len(present) == 1:
            chances[:, present[0]] = 1.0
        else:
            wordy = not isinstance(train, np.ndarray)
            weights = train.shape[1] * len(present)
            fitted = _classes_model(model, weights, seed, wordy=wordy).fit(train, answers)
            chances[:, fitted.classes_] = fitted.predict_proba(test)
    return 0.99 * chances + 0.01 * shares  # no answer is ever impossible, so one miss cannot sink the mean loss


def _numbers_model(model: str, columns: int, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.linear_model import Ridge

    if model != "forest":
        return Ridge(alpha=1.0 if model == "linear" else 300.0)
    share = min(0.5, 25 / columns)
    return ExtraTreesRegressor(30, min_samples_leaf=2, max_features=share, random_state=seed, n_jobs=1)


def _classes_model(model: str, weights: int, seed: int, *, wordy: bool) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression

    if model == "forest":
        return ExtraTreesClassifier(30, min_samples_leaf=2, random_state=seed, n_jobs=1)
    solver = "newton-cholesky" if weights <= 200 and not wordy else "lbfgs"
    strength = (5.0 if wordy else 1.0) if model == "linear" else 0.02
    return LogisticRegression(C=strength, max_iter=_ITERATIONS_OF_WORDS if wordy else 60, solver=solver)


def losses(found: Array, answers: Array, classes: int) -> Array:
    """Loss a row: log-loss in nats, or squared error."""
    import numpy as np

    if classes:
        return np.asarray(-np.log(np.maximum(found[np.arange(len(answers)), answers], 1e-9)))
    return np.asarray((found - answers) ** 2)


def trivial(answers: Array, classes: int, folds: Folds) -> Array:
    """Always the same answer: the class shares or the mean of the training rows."""
    import numpy as np

    found = np.zeros((len(answers), classes)) if classes else np.zeros(len(answers))
    for train, test in folds:
        if classes:
            found[test] = (np.bincount(answers[train], minlength=classes) + 1e-3) / (len(train) + 1e-3 * classes)
        else:
            found[test] = answers[train].mean()
    return found


def score(found: Array, answers: Array, classes: int) -> tuple[str, float]:
    """The figure that people know: AUC for two classes, balanced accuracy for more, R² for numbers."""
    import numpy as np

    if not classes:
        spread = float(((answers - answers.mean()) ** 2).sum())
        return "R²", 1 - float(((found - answers) ** 2).sum()) / spread if spread else 0.0
    if classes == 2:
        from sklearn.metrics import roc_auc_score

        return "AUC", float(roc_auc_score(answers == 1, found[:, 1])) if len(np.unique(answers)) == 2 else 0.5
    guess = found.argmax(axis=1)
    right = [float((guess[answers == code] == code).mean()) for code in range(classes) if (answers == code).any()]
    return "balanced accuracy", float(np.mean(right))
