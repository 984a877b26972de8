import numpy as np

from musicvae.runtime.graph import Graph


def test_a_graph_computes_what_its_nodes_say():
    graph = Graph()
    values = graph.input("values", "batch", 300)
    weight, bias = np.random.default_rng(0).standard_normal((2, 300, 300)).astype(np.float32)
    total = graph.linear(values, weight, bias[0])
    low, high = graph.add_many("Split", total, graph.ints(100, 200), count=2, axis=1)
    network = graph.compile(graph.add("Concat", high, low, axis=-1), low)
    row = np.arange(600, dtype=np.float32).reshape(2, 300) / 300
    joined, first = network(values=row)
    expected = row @ weight.T + bias[0]
    np.testing.assert_allclose(joined, np.roll(expected, 200, axis=1), atol=1e-3)
    np.testing.assert_allclose(first, expected[:, :100], atol=1e-3)


def test_attributes_may_be_words_and_lists():
    graph = Graph()
    values = graph.input("values", "batch", 2, 3, dtype=np.int64)
    turned = graph.add("Transpose", values, perm=[0, 2, 1])
    zeros = graph.constant(np.zeros((1, 3, 2), np.int64))
    places = graph.constant(np.full((1, 3, 2), 1))
    added = graph.add("ScatterElements", zeros, places, turned, axis=1, reduction="add")
    (found,) = graph.compile(added)(values=np.arange(6).reshape(1, 2, 3))
    assert found.tolist() == [[[0, 0], [3, 12], [0, 0]]]
