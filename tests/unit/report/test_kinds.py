"""The map of kinds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm.evolve import archive
from coinswarm.evolve.archive import Archive, Behaviour, Descriptor
from coinswarm.report import kinds

AXES = Behaviour(
    descriptors=(
        Descriptor(name="hold", low=1.0, high=100.0, cells=2, log=True), Descriptor(name="rate", low=0.0, high=1.0, cells=2),
        Descriptor(name="wins", low=0.0, high=1.0, cells=2),
    )
)  # fmt: skip


def found() -> Archive:
    places = np.array([[5.0, 0.9, 0.1], [5.0, 0.9, 0.9], [50.0, 0.1, 0.5]])
    cells = archive.cells(AXES, places)
    return replace(
        archive.empty(AXES, 1), cells=cells, quality=np.array([1.0, 2.0, -1.0]), descriptors=places, genomes=np.zeros((3, 1)),
        identities=np.array([b"a", b"b", b"c"], dtype="S64"), births=np.arange(3),
    )  # fmt: skip


def test_the_map_has_the_best_of_each_place_with_the_most_frequent_on_top() -> None:
    made = kinds.survey(found(), AXES)
    np.testing.assert_array_equal(made.best, [[2.0, np.nan], [np.nan, -1.0]])
    assert made.kinds.tolist() == [[2, 0], [0, 1]]


def test_edges_of_a_logarithmic_axis_have_equal_ratios() -> None:
    assert np.allclose(kinds.edges(AXES.descriptors[0]), [(1.0, 10.0), (10.0, 100.0)])


def test_the_page_names_every_kind_and_escapes_what_it_is_given() -> None:
    page = kinds.render(found(), AXES, ["x1", "<b>", "x3"], title="<script>", synthetic=True)
    assert "SYNTHETIC" in page
    assert "<script>" not in page
    assert all(name in page for name in ("x1", "&lt;b&gt;", "x3"))


def test_an_empty_archive_says_so() -> None:
    assert "Nothing feasible" in kinds.render(archive.empty(AXES, 1), AXES, [], title="none")
