"""Texts about the same are put together, by their words or by what they mean."""

from random import Random

from text.clusters import WeighedText, cluster_texts, compare_vectors, compare_words

ASKED = [
    WeighedText("can you engrave the teapot", 2),
    WeighedText("engrave a name on my teapot"),
    WeighedText("engrave my cup"),
    WeighedText("do you sell gift vouchers", 4),
    WeighedText("a gift voucher please"),
    WeighedText("who won the match"),
]


def test_texts_that_share_rare_words_are_one_cluster_and_seldom_ones_are_none() -> None:
    for seed in range(5):
        asked = Random(seed).sample(ASKED, len(ASKED))
        words = compare_words([each.text for each in asked])
        clusters = cluster_texts(asked, words, least=0.35, least_size=3)

        assert [(each.size, [asked[place].text for place in each.members]) for each in clusters] == [
            (5, ["do you sell gift vouchers", "a gift voucher please"]),
            (3, ["can you engrave the teapot", "engrave a name on my teapot"]),
        ]


def test_texts_of_the_same_direction_are_one_cluster() -> None:
    texts = [WeighedText(name) for name in "abcd"]
    vectors = [(1.0, 0.0), (0.6, 0.8), (0.96, 0.28), (0.0, 1.0)]
    near = compare_vectors(vectors)

    assert [each.members for each in cluster_texts(texts, near, least=0.9, least_size=1)] == [
        (0, 2),
        (1,),
        (3,),
    ]
    assert cluster_texts([], near, least=0.9, least_size=1) == []
