"""How columns become numbers for each family of models. Everything here is fitted inside the fold."""

from __future__ import annotations

from typing import Any

import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from trainers.classical.blocks import TwoBlocks
from trainers.classical.columns import Schema, date_parts
from trainers.classical.contrast import SETTINGS, TunedSentences
from trainers.classical.pairs import PairsOfNumbers
from trainers.classical.sentences import SentenceVectors

# More categories than this are told apart by the average target of their rows, not by a column each.
MANY = 40
_TOPICS = 30


def numbers_of(schema: Schema) -> list[str]:
    """The prepared columns that hold numbers, dates' parts included."""
    parts = [part for column in schema.of("date") for part in date_parts(column.name)]
    return [column.name for column in schema.of("number")] + parts


def few_of(schema: Schema) -> list[str]:
    """Category columns with few enough values to keep each apart."""
    return [column.name for column in schema.of("category") if column.distinct <= MANY]


def many_of(schema: Schema) -> list[str]:
    """Category columns with too many values for that."""
    return [column.name for column in schema.of("category") if column.distinct > MANY]


def for_linear(schema: Schema, *, splines: bool = False, letters: bool = False, rows: int = 1000) -> ColumnTransformer:
    """Scaled numbers, a column per category, weights of words (with `letters`, of their pieces): one sparse matrix.

    Sparse throughout, so that a row's product with the weights is summed in one order whatever rows stand beside it:
    dense matrix products differ in the last bit with the number of rows.
    """
    shape = [SplineTransformer(n_knots=5, knots="quantile", extrapolation="linear")] if splines else []
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        *shape,
        StandardScaler(),
        FunctionTransformer(scipy.sparse.csr_matrix, accept_sparse=True),
    )
    fewest = 2 if rows < 1000 else 5
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=fewest, max_categories=200)
    steps: list[tuple[str, Any, Any]] = []
    if numbers_of(schema):
        steps.append(("numbers", numbers, numbers_of(schema)))
    if few_of(schema) or many_of(schema):
        steps.append(("categories", categories, few_of(schema) + many_of(schema)))
    steps += [(f"text {at}", words(rows), column.name) for at, column in enumerate(schema.of("text"))]
    if letters:
        steps += [(f"letters {at}", pieces(rows), column.name) for at, column in enumerate(schema.of("text"))]
    return ColumnTransformer(steps, sparse_threshold=1.0)


def for_vectors(schema: Schema, *, rows: int = 1000, tuned_by: int | None = None) -> ColumnTransformer:
    """As `for_linear`, with each text as a sentence vector instead of its words; tuned, where a seed is given."""
    others = for_linear(Schema(tuple(one for one in schema.columns if one.kind != "text")), rows=rows).transformers
    reader = SentenceVectors() if tuned_by is None else TunedSentences(SETTINGS["layers"], tuned_by)
    texts = [(f"text {at}", clone(reader), column.name) for at, column in enumerate(schema.of("text"))]
    return ColumnTransformer([*others, *texts], sparse_threshold=0.0)


def for_trees(
    schema: Schema, seed: int, *, kind: str, impute: bool, rows: int = 1000, pairs: PairsOfNumbers | None = None
) -> ColumnTransformer:
    """Numbers as they are, with `pairs` of them, categories as codes, many-valued ones as averages, texts as topics.

    Category codes come first, `few_of(schema)` of them, so that boosting can be told which columns they are.
    """
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1 if impute else float("nan"),
        min_frequency=2,
        max_categories=MANY + 1,
    )
    numbers = SimpleImputer(strategy="median", keep_empty_features=True) if impute else "passthrough"
    steps: list[tuple[str, Any, Any]] = []
    if few_of(schema):
        steps.append(("categories", codes, few_of(schema)))
    if many_of(schema):
        steps.append(("many categories", _averages(kind, seed), many_of(schema)))
    if numbers_of(schema):
        steps.append(("numbers", numbers, numbers_of(schema)))
    if pairs is not None:
        steps.append(("pairs of numbers", pairs, numbers_of(schema)))
    steps += [(f"text {at}", topics(rows, seed), column.name) for at, column in enumerate(schema.of("text"))]
    return ColumnTransformer(steps, sparse_threshold=0.0)


def for_ordered(schema: Schema, seed: int, *, rows: int = 1000) -> TwoBlocks:
    """Every category as it is, numbers as they are, texts as topics: what ordered boosting reads for itself."""
    steps: list[tuple[str, Any, Any]] = []
    if numbers_of(schema):
        steps.append(("numbers", "passthrough", numbers_of(schema)))
    steps += [(f"text {at}", topics(rows, seed), column.name) for at, column in enumerate(schema.of("text"))]
    return TwoBlocks((*few_of(schema), *many_of(schema)), ColumnTransformer(steps, sparse_threshold=0.0))


def _averages(kind: str, seed: int) -> TargetEncoder:
    """Average target per category, each row's from the other rows: its own answer would leak into its features."""
    # The kind of classes is left to the encoder: a fold may hold two of three, and it fails where that was not said.
    kind = "auto" if kind == "multiclass" else kind
    release = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    if release < (1, 9):  # a splitter is taken from 1.9 on; the seed alone until then
        return TargetEncoder(target_type=kind, random_state=seed)
    return TargetEncoder(target_type=kind, cv=KFold(5, shuffle=True, random_state=seed))


def words(rows: int) -> TfidfVectorizer:
    """Weights of words and word pairs; a word must be seen in two rows, so that a name seen once teaches nothing."""
    return TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2 if rows >= 200 else 1, max_features=50_000)


def pieces(rows: int) -> TfidfVectorizer:
    """Weights of pieces of two to five letters within words: endings, compounds and misspellings share them."""
    return TfidfVectorizer(
        analyzer="char_wb", sublinear_tf=True, ngram_range=(2, 5), min_df=2 if rows >= 200 else 1, max_features=100_000
    )


def topic_count(schema: Schema) -> int:
    """How many columns the topics of all texts make."""
    return _TOPICS * len(schema.of("text"))


def topics(rows: int, seed: int) -> Pipeline:
    """A few dozen directions of the word weights, for models that cannot read thousands of sparse columns."""
    return make_pipeline(words(rows), TruncatedSVD(_TOPICS, random_state=seed))
