"""The models that are tried, simplest first. A new one is a function in `pipelines` and an entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from trainers.classical import pipelines
from trainers.classical.boosting import library
from trainers.classical.contrast import SETTINGS
from trainers.classical.features import numbers_of
from trainers.classical.pipelines import Setup
from trainers.common.metrics import Floats
from trainers.common.policy import policy


@dataclass(frozen=True)
class Candidate:
    """A model by name. `simplicity` ranks it: of equally good ones the lowest is taken.

    `random` says that copies by other seeds are worth their time; `obeys` that it can be told to rise or fall with a
    column. `turn` orders the first fits: what is quick and good comes early, so that little time still ends well.
    Candidates of one `view` read the columns alike, and share their encoding where several of them answer.
    """

    name: str
    simplicity: int
    build: Callable[[Setup], Pipeline]
    settings: dict[str, object]
    explainable: bool = False
    random: bool = False
    obeys: bool = False
    turn: int = 5
    view: str = ""
    fits: Callable[[Setup], bool] = lambda _: True


def portfolio(setup: Setup) -> list[Candidate]:
    """The candidates for this problem, simplest first."""
    found = [one for one in _ALL if one.fits(setup) and (one.obeys or not setup.monotone)]
    if _few_labels(setup):
        # A handful of rows cannot tell these models apart, and what was measured on many sets can.
        found = [one for one in found if one.name in ("sentence vectors", "sentence vectors, tuned")]
    return found


def _reads_text(setup: Setup) -> bool:
    return bool(setup.schema.of("text"))


def _few_labels(setup: Setup) -> bool:
    alone = {column.kind for column in setup.schema.columns} <= {"text", "unused"}
    return setup.vectors and alone and 0 < setup.rarest < int(policy("classical")["texts"]["few_labels"])


def _words_alone(setup: Setup) -> bool:
    # A slope per word and class, all at once: with dozens of classes the margins are there long before, and as good.
    return bool(setup.schema.of("text")) and setup.classes > 20


def _few_classes(setup: Setup) -> bool:
    # Boosting grows a tree per class in every round: with dozens of classes other models are there long before.
    return setup.classes <= 20


def _forest_pays(setup: Setup) -> bool:
    # A forest keeps a share per class in every leaf: for dozens of classes over texts, hundreds of MiB.
    return not _words_alone(setup)


def _dense_enough(setup: Setup) -> bool:
    # A knot per tenth of a column: with few rows, or thousands of columns, splines only add noise.
    return 0 < len(numbers_of(setup.schema)) <= 200 and setup.rows >= 300 and not _words_alone(setup)


def _pairs_pay(setup: Setup) -> bool:
    # Among thousands of pairs some suit a few rows by chance.
    enough = setup.rows >= policy("classical")["pairs"]["fewest_rows"] and len(numbers_of(setup.schema)) > 1
    return enough and _few_classes(setup) and library("lightgbm") is not None


_LINEAR: dict[str, object] = {"penalty": "L2"}
_PAIRS: dict[str, object] = {"pairs": "products, ratios, differences"}
_ALL = (
    Candidate(
        "linear, strongly held back",
        0,
        lambda setup: pipelines.linear(setup, 0.02, splines=False),
        {**_LINEAR, "strength": 0.02},
        explainable=True,
        fits=lambda setup: not _words_alone(setup),
        turn=1,
    ),
    Candidate(
        "words",
        0,
        lambda setup: pipelines.words(setup, letters=False),
        {"margin": "linear, C 0.5", "pieces": "words, word pairs"},
        explainable=True,
        fits=_reads_text,
        turn=0,
    ),
    Candidate(
        "linear",
        1,
        lambda setup: pipelines.linear(setup, 1.0, splines=False),
        {**_LINEAR, "strength": 1.0},
        explainable=True,
        fits=lambda setup: not _words_alone(setup),
        turn=4,
    ),
    Candidate(
        "additive curves",
        2,
        lambda setup: pipelines.linear(setup, 0.3, splines=True),
        {**_LINEAR, "strength": 0.3, "splines": 5},
        explainable=True,
        fits=_dense_enough,
    ),
    Candidate(
        "words and letters",
        2,
        lambda setup: pipelines.words(setup, letters=True),
        {"margin": "linear, C 0.5", "pieces": "words, word pairs, 2 to 5 letters"},
        explainable=True,
        fits=_reads_text,
        turn=2,
    ),
    Candidate(
        "sentence vectors",
        2,
        lambda setup: pipelines.vectors(setup, 10.0),
        {"vectors": "all-MiniLM-L6-v2, frozen", "strength": 10.0},
        view="sentence vectors",
        fits=lambda setup: setup.vectors,
        turn=1,
    ),
    Candidate(
        "sentence vectors, let loose",
        3,
        lambda setup: pipelines.vectors(setup, 50.0),
        {"vectors": "all-MiniLM-L6-v2, frozen", "strength": 50.0},
        view="sentence vectors",
        fits=lambda setup: setup.vectors and not _few_labels(setup),
    ),
    Candidate(
        "sentence vectors, tuned",
        4,
        lambda setup: pipelines.vectors(setup, 10.0, tuned=True),
        {"vectors": "all-MiniLM-L6-v2, tuned by contrast", **SETTINGS, "strength": 10.0},
        fits=lambda setup: _few_labels(setup) and len(setup.schema.of("text")) == 1,
        turn=2,
    ),
    Candidate(
        "boosted trees, small",
        3,
        lambda setup: pipelines.boosted(setup, leaves=6),
        {"leaves": 6, "learning_rate": 0.05, "fewest_rows_in_leaf": 20},
        random=True,
        view="boosted trees",
        obeys=True,
        fits=_few_classes,
        turn=0,
    ),
    Candidate(
        "boosted trees",
        4,
        lambda setup: pipelines.boosted(setup, leaves=31),
        {"leaves": 31, "learning_rate": 0.05, "fewest_rows_in_leaf": 20},
        random=True,
        view="boosted trees",
        obeys=True,
        fits=_few_classes,
        turn=2,
    ),
    Candidate(
        "boosted trees on the logarithm",
        4,
        lambda setup: pipelines.boosted(setup, leaves=15, leaf=10, log=True),
        {"leaves": 15, "learning_rate": 0.05, "fewest_rows_in_leaf": 10, "target": "log(1 + y)"},
        random=True,
        view="boosted trees",
        obeys=True,
        fits=lambda setup: setup.skewed,
    ),
    Candidate(
        "boosted trees, random cuts",
        4,
        lambda setup: pipelines.boosted(setup, leaves=31, leaf=10, share=0.8, random_cuts=True),
        {"leaves": 31, "learning_rate": 0.05, "fewest_rows_in_leaf": 10, "cuts": "one at random a column"},
        random=True,
        view="boosted trees",
        fits=lambda setup: _few_classes(setup) and library("lightgbm") is not None,
    ),
    Candidate(
        "boosted trees on pairs",
        4,
        lambda setup: pipelines.boosted(setup, leaves=15, share=0.5, log=setup.skewed, pairs=True),
        {"leaves": 15, "learning_rate": 0.05, "fewest_rows_in_leaf": 20, **_PAIRS},
        random=True,
        view="boosted trees on pairs",
        fits=_pairs_pay,
        turn=3,
    ),
    Candidate(
        "boosted trees on pairs, random cuts",
        4,
        lambda setup: pipelines.boosted(
            setup, leaves=31, leaf=10, share=0.5, random_cuts=True, log=setup.skewed, pairs=True
        ),
        {"leaves": 31, "learning_rate": 0.05, "fewest_rows_in_leaf": 10, "cuts": "one at random a column", **_PAIRS},
        random=True,
        view="boosted trees on pairs",
        fits=_pairs_pay,
    ),
    Candidate(
        "boosted trees, large",
        5,
        lambda setup: pipelines.boosted(setup, leaves=127, rate=0.04, leaf=5, share=0.5),
        {"leaves": 127, "learning_rate": 0.04, "fewest_rows_in_leaf": 5},
        random=True,
        view="boosted trees",
        obeys=True,
        fits=lambda setup: _few_classes(setup) and setup.rows >= 2_000 and library("lightgbm") is not None,
    ),
    Candidate(
        "ordered boosting",
        5,
        pipelines.ordered,
        {"depth": 6, "learning_rate": "0.08 below 10,000 rows, else 0.15"},
        random=True,
        fits=lambda setup: _few_classes(setup) and library("catboost") is not None,
        turn=3,
    ),
    Candidate(
        "extra trees",
        5,
        pipelines.forest,
        {"trees": 150, "fewest_rows_in_leaf": "2 below 5,000 rows, else 5"},
        fits=_forest_pays,
    ),
)


def names() -> tuple[str, ...]:
    """The names of all candidates."""
    return tuple(one.name for one in _ALL)


def is_skewed(target: Floats) -> bool:
    """Whether a number is positive and has a long upper tail, as prices and counts do: skewness above 1."""
    if target.min() < 0:
        return False
    spread = target.std()
    return bool(spread > 0 and (((target - target.mean()) / spread) ** 3).mean() > 1)
