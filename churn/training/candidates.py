"""What a training chooses among: the shapes of the curves, their penalty, and pairs of fields."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """One shape of the curves with one penalty, as `build_pipeline` takes them."""

    n_knots: int
    degree: int
    c: float


@dataclass(frozen=True, slots=True)
class PairedCandidate(Candidate):
    """One with pairs of fields, by their names, and how many turns each is boosted for."""

    pairs: tuple[tuple[str, str], ...]
    rounds: int


SHAPES = ((4, 3), (6, 1), (6, 3))  # knots, degree
PENALTIES = (0.2, 0.35, 0.6, 1.0)  # inverse, as scikit-learn's C
CANDIDATES = tuple(Candidate(*shape, c) for shape in SHAPES for c in PENALTIES)

# What the choice among all of them falls on for the embedded sample, which is the same everywhere.
OF_THE_SAMPLE = Candidate(6, 3, 0.35)
