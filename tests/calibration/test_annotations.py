import pytest

from indexer.calibration.annotations import Annotations, relate
from indexer.errors import UsageError

IMAGES = [
    ("fake", "a", "s1"),  # 0
    ("fake", "a", "s2"),  # 1
    ("fake", "b", "s1"),  # 2
    ("fake", None, "s3"),  # 3
    ("real", "a", "s1"),  # 4: the family of a real image is ignored
    ("real", None, "s2"),  # 5
    ("real", None, None),  # 6
    (None, "a", "s4"),  # 7
]


@pytest.mark.parametrize(
    ("i", "j", "same", "different", "unrelated", "cross_source"),
    [
        (0, 1, True, False, False, True),
        (0, 2, False, True, False, False),  # two families of one source: hard, not unrelated
        (1, 2, False, True, True, True),
        (0, 3, False, False, False, True),  # the family of 3 may be a
        (0, 4, False, True, False, False),
        (1, 4, False, True, True, True),
        (0, 6, False, True, True, False),  # an unknown source counts as another
        (4, 5, False, True, True, True),
        (5, 6, False, False, False, False),  # two reals, perhaps of one source
        (0, 7, False, False, False, True),
    ],
)
def test_relations_of_pairs(i, j, same, different, unrelated, cross_source):
    annotations = Annotations.of(*map(list, zip(*IMAGES, strict=True)))
    for a, b in ((i, j), (j, i)):
        found = relate(annotations, annotations, [a], [b])
        assert (found.same[0], found.different[0]) == (same, different)
        assert (found.unrelated[0], found.cross_source[0]) == (unrelated, cross_source)


def test_codes_and_groups():
    annotations = Annotations.of(*map(list, zip(*IMAGES, strict=True)))
    assert annotations.families == ("a", "b")
    assert annotations.group.tolist() == [0, 0, 1, -1, 2, 2, 2, -1]
    assert annotations.take([2, 4]).family.tolist() == [1, -1]


def test_unknown_labels_and_unequal_lengths_are_refused():
    with pytest.raises(UsageError, match="label 'fakee'"):
        Annotations.of(["fakee"], [None], [None])
    with pytest.raises(UsageError, match="1 labels, 2 families, 1 sources"):
        Annotations.of(["fake"], [None, None], [None])
