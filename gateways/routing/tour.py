"""Short tours of one vehicle through all its stops, without windows."""

from collections.abc import Sequence

from gateways.routing.budget import TimeBudget

EXACT_STOPS_LIMIT = 9
"""A tour of up to this many stops is the shortest there is; the effort doubles with each further stop."""
SEGMENT_LIMIT = 3
"""How many consecutive stops of a tour are moved together."""
SAVING_MINIMUM = 1e-9
"""A smaller saving is an error of rounding."""

START = 0
"""The place of the start in a matrix of distances; stops follow from 1."""
END = -1
"""The place after the last stop: the last column of a matrix; at distance 0 where a tour does not return."""

Distances = Sequence[Sequence[float]]
"""How far it is from the place of the row to the place of the column."""


def order_tour(distances: Distances, budget: TimeBudget) -> list[int]:
    """A short tour from START through all stops to END.

    The shortest up to EXACT_STOPS_LIMIT stops; beyond, the nearest-neighbour tour, improved by 2-opt and
    or-opt until no move shortens it, or the time is up.
    """
    if len(distances) <= 1:
        return []
    if len(distances) - 1 <= EXACT_STOPS_LIMIT:
        return find_shortest_tour(distances)
    tour = find_nearest_neighbour_tour(distances)
    while reverse_segments(tour, distances, budget) or move_segments(tour, distances, budget):
        pass
    return tour


def find_shortest_tour(distances: Distances) -> list[int]:
    """The shortest tour from START through all stops, by dynamic programming over sets of stops.

    M. Held, R. M. Karp: A Dynamic Programming Approach to Sequencing Problems, Journal of SIAM 10 (1962).
    """
    stops = range(1, len(distances))
    # By the set of stops visited, bit by bit, and the last of them: the shortest length and the place before.
    shortest = {(1 << stop, stop): (distances[START][stop], START) for stop in stops}
    for visited in range(2, 2 ** len(distances), 2):
        for last in members_of(visited):
            if others := visited ^ 1 << last:
                shortest[visited, last] = min(
                    (shortest[others, before][0] + distances[before][last], before)
                    for before in members_of(others)
                )
    visited = 2 ** len(distances) - 2
    last = min(stops, key=lambda stop: (shortest[visited, stop][0] + distances[stop][END], stop))
    tour: list[int] = []
    while visited:
        tour.insert(0, last)
        visited, last = visited ^ 1 << last, shortest[visited, last][1]
    return tour


def members_of(stops: int) -> list[int]:
    """The stops of a set whose bits are set in a number."""
    return [stop for stop in range(1, stops.bit_length()) if stops >> stop & 1]


def find_nearest_neighbour_tour(distances: Distances) -> list[int]:
    """The tour that always goes on to the nearest stop left."""
    left, tour, here = set(range(1, len(distances))), [], START
    while left:
        here = min(left, key=lambda stop: (distances[here][stop], stop))
        left.remove(here)
        tour.append(here)
    return tour


def reverse_segments(tour: list[int], distances: Distances, budget: TimeBudget) -> bool:
    """Reverse segments of the tour where that shortens it (2-opt); whether any was reversed and there
    is time for more.

    G. A. Croes: A Method for Solving Traveling-Salesman Problems, Operations Research 6 (1958).
    """
    improved = False
    for first in range(len(tour) - 1):
        if budget.is_over:
            return False
        for last in range(first + 1, len(tour)):
            before, after = neighbours_of(tour, first, last)
            saved = distances[before][tour[first]] - distances[before][tour[last]]
            saved += distances[tour[last]][after] - distances[tour[first]][after]
            if saved > SAVING_MINIMUM:
                tour[first : last + 1] = reversed(tour[first : last + 1])
                improved = True
    return improved


def move_segments(tour: list[int], distances: Distances, budget: TimeBudget) -> bool:
    """Move short segments of the tour, as they are or reversed, where that shortens it (or-opt); whether any
    was moved and there is time for more.

    I. Or: Traveling Salesman-Type Combinatorial Problems, thesis, Northwestern University (1976).
    """
    improved = False
    for size in range(1, min(SEGMENT_LIMIT, len(tour) - 1) + 1):
        for first in range(len(tour) - size + 1):
            if budget.is_over:
                return False
            segment = tour[first : first + size]
            before, after = neighbours_of(tour, first, first + size - 1)
            saved = detour_by(segment, before, after, distances)
            rest = tour[:first] + tour[first + size :]
            added, place, moved = min(
                (detour_by(candidate, *neighbours_of(rest, place, place - 1), distances), place, candidate)
                for place in range(len(rest) + 1)
                for candidate in (segment, segment[::-1])
            )
            if saved - added > SAVING_MINIMUM:
                tour[:] = rest[:place] + moved + rest[place:]
                improved = True
    return improved


def neighbours_of(tour: Sequence[int], first: int, last: int) -> tuple[int, int]:
    """The places before and after the segment of a tour from index `first` to `last`."""
    return tour[first - 1] if first else START, tour[last + 1] if last + 1 < len(tour) else END


def detour_by(segment: Sequence[int], before: int, after: int, distances: Distances) -> float:
    """How much longer the way from `before` to `after` is with a segment between them, without the segment's
    own length."""
    return distances[before][segment[0]] + distances[segment[-1]][after] - distances[before][after]
