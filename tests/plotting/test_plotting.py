"""Figures contain what they should. (Whether they look right was checked by eye; this tests what can be tested.)"""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from aelearn import plotting

HISTORY = [{"epoch": e, "loss": 0.05 / e, "validation_loss": 0.06 / e, "seconds": 1.0} for e in range(1, 21)]


def texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_loss_curve_marks_the_original_up_to_the_epochs_that_were_run():
    figure = plotting.loss_curve(HISTORY, reference=plotting.ORIGINAL_LOSSES)
    train, validation, original = figure.axes[0].lines
    assert figure.axes[0].get_yscale() == "log"
    assert list(train.get_ydata()) == [row["loss"] for row in HISTORY] and len(validation.get_xdata()) == 20
    assert dict(zip(original.get_xdata(), original.get_ydata())) == {1: 0.04387, 5: 0.02789, 10: 0.02425, 20: 0.02138}
    assert "epoch" in texts(figure) and any("mean squared error" in text for text in texts(figure))


@pytest.mark.parametrize("widths, n_parameters", [((784, 128, 3, 128, 784), 202_515), ((12, 1, 12), 37),
                                                  ((12, 500, 40, 7, 40, 500, 12), 53_659)])
def test_network_shows_layers_and_parameters(widths, n_parameters):
    figure = plotting.network(widths, ["relu"] * (len(widths) - 2) + ["identity"])
    shown, (axes,) = texts(figure), figure.axes
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    heights = [bar.get_height() for bar in bars]
    assert np.argsort(heights, kind="stable").tolist() == np.argsort(widths, kind="stable").tolist()
    assert [bar.get_hatch() is not None for bar in bars] == [bar is bars[len(widths) // 2] for bar in bars]
    assert f"code\n{min(widths)}\nrelu" in shown and f"reconstruction\n{widths[-1]}\nidentity" in shown
    assert any(f"{n_parameters:,} parameters" in text for text in shown)
    assert sum(" x " in text for text in shown) == len(widths) - 1


def test_loss_curve_without_validation_and_with_one_epoch():
    figure = plotting.loss_curve([{**HISTORY[0], "validation_loss": None}], loss="bce")
    assert len(figure.axes[0].lines) == 1 and figure.axes[0].lines[0].get_marker() == "o"


def test_reconstructions_show_the_best_and_the_worst(rng):
    images = rng.random((30, 12))
    outputs = images + np.linspace(0.5, 0, 30)[:, None]  # row 29 is perfect, row 0 the worst
    figure = plotting.reconstructions(images, outputs, (3, 4), n_columns=5)
    best, median, worst = (axes.images[0].get_array() for axes in figure.axes)
    assert best.shape == (2 * 3 + 1, 5 * 4 + 4)  # rows and columns of images, with a white pixel between two
    np.testing.assert_array_equal(best[:3, :4], images[29].reshape(3, 4))
    np.testing.assert_array_equal(median[:3, :4], images[17].reshape(3, 4))  # ranks 12 to 16 are rows 17 to 13
    np.testing.assert_array_equal(worst[:3, :4], images[0].reshape(3, 4))
    np.testing.assert_array_equal(worst[4:, :4], outputs[0].reshape(3, 4))
    np.testing.assert_array_equal(worst[:3, 5:9], images[1].reshape(3, 4))
    assert (worst[3] == 1).all() and (worst[:, 4] == 1).all()
    labels = [label.get_text() for label in figure.axes[2].get_xticklabels()]
    assert labels[0] == f"{np.mean((images[0] - outputs[0])**2):.4f}" and len(labels) == 5


@pytest.mark.parametrize("n_codes, panels", [(1, 2), (2, 2), (3, 2), (4, 4), (5, 6), (8, 8)])
def test_code_space_shows_every_code_in_every_panel(rng, tmp_path, n_codes, panels):
    codes, classes, clusters = rng.random((90, n_codes)), np.arange(90) % 2, np.arange(90) % 3
    figure = plotting.code_space(codes, classes, clusters, rng.random((3, n_codes)), {0: 1, 1: None, 2: 0})
    assert len(figure.axes) == panels
    for axes in figure.axes:
        points = [len(collection.get_offsets()) for collection in axes.collections]
        assert sum(points[:-1]) == 90 and points[-1] == 3  # the stars come last, on top of the points
        assert tuple(axes.collections[-1].get_facecolor()[0][:3]) == (1, 0, 0)
    assert "cluster 1: no digit of its own" in texts(figure)
    shown = {axes.get_xlabel() for axes in figure.axes} | {axes.get_ylabel() for axes in figure.axes}
    shown |= {axes.get_zlabel() for axes in figure.axes if hasattr(axes, "get_zlabel")}
    assert {f"code {i + 1}" for i in range(n_codes)} <= shown
    plotting.save(figure, tmp_path / "codes.png")
    assert (tmp_path / "codes.png").read_bytes().startswith(b"\x89PNG")


def test_view_looks_across_the_line_between_the_centres(rng):
    codes = rng.normal(size=(200, 3)) * [1, 0.1, 0.5]
    for apart in ([1.0, 0, 0], [0, 0, 1.0], [1.0, 1.0, 1.0]):
        elevation, azimuth = np.radians(plotting.job._view(codes, np.array([np.zeros(3), apart])))
        eye = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
        assert np.dot(eye, apart) == pytest.approx(0, abs=1e-9) and elevation >= 0


@pytest.mark.parametrize("n_clusters, n_wrong, words", [(2, 0, "No image is in the wrong cluster"),
                                                        (7, 45, "45 of 700 images are in the wrong cluster; 30 of")])
def test_center_images(rng, n_clusters, n_wrong, words):
    names = {k: k if k < 5 else None for k in range(n_clusters)}
    wrong = rng.random((n_wrong, 12)), np.zeros(n_wrong, int), np.arange(n_wrong) % n_clusters
    figure = plotting.center_images(rng.random((n_clusters, 12)), np.full(n_clusters, 100), names, *wrong, (3, 4))
    assert any(words in text for text in texts(figure))
    pictures = [axes for axes in figure.findobj(lambda artist: hasattr(artist, "images")) if axes.images]
    assert len(pictures) == n_clusters + (n_wrong > 0)
    if n_wrong:  # in three rows of ten, and a text for each
        np.testing.assert_array_equal(pictures[-1].images[0].get_array()[:3, 5:9], wrong[0][1].reshape(3, 4))
        assert sum("taken for" in text for text in texts(figure)) == 30


def test_side_by_side_marks_what_is_wrong(rng):
    classes = np.array([0, 0, 0, 1, 1, 1])
    panels = [("right", rng.normal(size=(6, 2)), 1 - classes), ("one wrong", rng.normal(size=(6, 1)), classes * 0 + 5)]
    figure = plotting.side_by_side(panels, classes)
    counts = [[len(collection.get_offsets()) for collection in cell.collections] for cell in figure.axes[:2]]
    assert counts == [[3, 3, 0], [3, 3, 3]] and [cell.get_title() for cell in figure.axes[:2]] == ["right", "one wrong"]


def test_bars_show_every_value():
    figure = plotting.bars(["one", "two"], [1.0, 2.5], title="t", xlabel="times as fast", line=1)
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [1.0, 2.5] and list(axes.lines[0].get_xdata()) == [1, 1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]
    assert {"1", "2.5", "times as fast"} <= set(texts(figure))


def test_curves_and_tiles(tmp_path):
    figure = plotting.curves({"one": ([1, 2], [1, 4]), "other": ([1, 2], [3, 1])}, points={"here": ([1], [1])},
                             title="t", xlabel="x", ylabel="y", logarithmic=True)
    axes, = figure.axes
    assert len(axes.lines) == 3 and axes.get_xscale() == axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "other", "here"]
    axes, = plotting.curves({"one": ([1, 2], [1, 4])}, title="t", xlabel="x", ylabel="y", logarithmic="y").axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    figure = plotting.tiles(np.random.default_rng(0).random((5, 6)), "abcde", (2, 3), title="five", n_columns=3)
    assert len(figure.axes) == 6 and [cell.get_title() for cell in figure.axes] == [*"abcde", ""]


def test_the_title_of_a_few_tiles_fits():
    figure = plotting.tiles(np.zeros((2, 6)), "ab", (2, 3), title="a title that is longer than two tiles are wide")
    figure.draw_without_rendering()
    title = figure._suptitle
    assert title.get_text().replace("\n", " ").endswith("than two tiles are wide")
    assert title.get_window_extent().width <= figure.bbox.width


@pytest.mark.parametrize("ys, labels", [([0.28, 0.04], {"0.04", "0.1", "0.2"}),
                                        ([1e-9, 1], {"$\\mathdefault{10^{0}}$"})])
def test_a_logarithmic_axis_has_plain_numbers_unless_they_are_small(ys, labels):
    figure = plotting.curves({"one": ([1, 2], ys)}, title="t", xlabel="x", ylabel="y", logarithmic="y")
    figure.draw_without_rendering()
    axes, = figure.axes
    shown = {tick.label1.get_text() for tick in (*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks())}
    assert labels <= shown


def test_walks_show_every_place_on_contour_lines():
    walks = [("slow", np.array([[4.0, 1], [3, 0.5]])), ("wild", np.array([[4.0, 1], [-6, -2], [9, 3]]))]
    figure = plotting.walks(lambda points: (points**2).sum(axis=-1), (1, 0), walks, title="t", xlabel="x", ylabel="y")
    assert len(figure.axes) == 2 and [cell.get_title() for cell in figure.axes] == ["slow", "wild"]
    for cell, (_, points) in zip(figure.axes, walks):
        star, steps, start = cell.lines
        np.testing.assert_array_equal(steps.get_xydata(), points)
        assert star.get_xydata().tolist() == [[1, 0]] and start.get_xydata().tolist() == [[4, 1]]
        assert cell.get_xlim()[0] < -6 and cell.get_xlim()[1] > 9 and cell.get_ylim()[0] < -2 and cell.get_ylim()[1] > 3
        levels = cell.collections[0].levels
        np.testing.assert_allclose(np.diff(np.sqrt(levels), 2), 0, atol=1e-9)  # equal distances on a quadratic


def test_table_shows_every_count():
    figure = plotting.table([[5, 0], [1200, 3]], ["a", "b"], ["c", "d"], title="t", xlabel="x", ylabel="y")
    assert {"5", "0", "1,200", "3", "a", "b", "c", "d"} <= set(texts(figure))


def test_no_program_is_drawn_higher_than_it_is():
    figure = plotting.roofline({"near": 1e11, "far": 1e10}, 5e10, {"slow": (0.25, 2e9), "fast": (2.0, 4e10)}, title="t")
    near, far, flat, slow, fast = figure.axes[0].lines
    assert near.get_ydata().max() == flat.get_ydata()[0] == 50  # GFLOP/s
    assert np.all(far.get_ydata() <= near.get_ydata()) and far.get_ydata()[0] == pytest.approx(10 * far.get_xdata()[0])
    assert [(*line.get_xdata(), *line.get_ydata()) for line in (slow, fast)] == [(0.25, 2), (2, 40)]


def test_a_path_has_its_boxes_and_arrows():
    figure = plotting.path({1: ("one", []), 2: ("two", [1]), 5: ("five", [1, 2])}, title="t")
    axes, = figure.axes
    assert {"1  one", "2  two", "5  five"} <= set(texts(figure))
    assert [patch.get_x() for patch in axes.patches if hasattr(patch, "get_x")] == [0, 1, 2]  # each after what it needs
    assert sum(text.get_text() == "" and hasattr(text, "arrow_patch") for text in axes.texts) == 3


def test_partitions():
    X = np.random.default_rng(0).normal(size=(30, 2))
    figure = plotting.partitions(X, [("one", X[:1]), ("three", X[:3]), ("five", X[:5])], title="t", n_columns=2)
    assert [cell.get_title() for cell in figure.axes] == ["one", "three", "five", ""]
    assert [len(cell.collections) for cell in figure.axes] == [2, 4, 6, 0]  # a cluster each, and the stars


def test_graphs_show_every_point_and_the_edges_that_weigh():
    X, W = np.random.default_rng(0).random((4, 2)), np.zeros((4, 4))
    W[0, 1] = W[1, 0] = 1
    W[2, 3] = W[3, 2] = 0.5
    W[0, 3] = W[3, 0] = 0.001  # too small to be drawn
    figure = plotting.graphs([("one", X, np.array([0, 0, 1, 1]), W), ("two", X, np.zeros(4, int), None)], title="t")
    one, two = figure.axes
    edges, *points = one.collections
    np.testing.assert_array_equal(edges.get_segments(), [X[[0, 1]], X[[2, 3]]])
    assert list(edges.get_linewidths()) == [2, 1]
    assert [len(group.get_offsets()) for group in points] == [2, 2] and len(two.collections) == 1
    assert {"t", "one", "two", "0", "3"} <= set(texts(figure))
    named = plotting.graphs([("one", X, np.array([0, 0, 1, 1]), None)], title="t", names={0: "a", 1: "b"})
    assert [text.get_text() for text in named.legends[0].get_texts()] == ["a", "b"]


def test_matrices_write_small_tables_out():
    figure = plotting.matrices([("W", np.array([[0, 0.5], [-0.25, 1]])), ("V", np.zeros((30, 30)))], title="t")
    assert {"0.00", "0.50", "-0.25", "1.00", "W", "V"} <= set(texts(figure))
    assert [len(cell.texts) for cell in figure.axes] == [4, 0]


def test_densities_share_their_axes():
    xs = np.linspace(0, 1, 5)
    panels = [("one", {"made": (xs, xs), "true": (xs, 2 * xs)}), ("two", {"made": (xs, 3 * xs)})]
    figure = plotting.densities(panels, points=[0.2, 0.7], title="t", xlabel="ink", n_columns=2)
    one, two = figure.axes
    assert one.get_ylim() == two.get_ylim() and one.get_ylim()[0] == 0 and one.get_ylim()[1] > 3
    assert [len(one.lines), len(two.lines)] == [3, 2]  # the last one is the ticks at the bottom
    assert list(two.lines[-1].get_xdata()) == [0.2, 0.7] and two.get_xlabel() == "ink"
    assert [text.get_text() for text in one.get_legend().get_texts()] == ["made", "true"]


def test_mixtures_show_shares_as_colours_and_deviations_as_ellipses():
    from matplotlib.colors import to_rgb

    X, r = np.array([[0.0, 0], [1, 0], [0, 1]]), np.array([[1.0, 0], [0.25, 0.75], [0.5, 0.5]])
    means, covariances = np.array([[0.0, 0], [1, 1]]), np.array([np.diag([4.0, 0.25]), np.eye(2)])
    figure = plotting.mixtures(X, [("here", r, means, covariances)], title="t")
    axes, = figure.axes
    blue, orange = (np.array(to_rgb(plotting.PALETTE[k])) for k in range(2))
    np.testing.assert_allclose(axes.collections[0].get_facecolor()[:, :3], [blue, (blue + orange) / 2])
    np.testing.assert_allclose(axes.collections[1].get_facecolor()[:, :3], [blue / 4 + orange * 3 / 4])
    assert len(axes.collections) == 3 and axes.get_title() == "here"  # the last ones are the stars
    assert axes.get_aspect() == 1 and not axes.axison
    named, = plotting.mixtures(X, [("", r, means, covariances)], title="t", axes_names=("a", "b"),
                               names=("one", "two")).axes
    assert named.axison and (named.get_xlabel(), named.get_ylabel()) == ("a", "b")
    assert [text.get_text() for text in named.get_legend().get_texts()] == ["one", "two"]
    for line, widths in zip(axes.lines[:2], ([2, 0.5], [4, 1])):  # one and two standard deviations
        np.testing.assert_allclose([line.get_xdata().max(), line.get_ydata().max()], widths, rtol=2e-3)


def test_projections_draw_the_line_the_mean_and_the_ways():
    X, mean = np.array([[0.0, 1], [2, 3], [4, -1]]), np.array([2.0, 1.0])
    projected = np.array([[0.0, 1], [2, 1], [4, 1]])
    figure = plotting.projections([("flat", X, projected, mean, np.array([1.0, 0.0]))] * 2, title="t")
    for axes in figure.axes:
        ways, = axes.collections
        np.testing.assert_array_equal(ways.get_segments(), np.stack([X, projected], axis=1))
        line, points, projections, middle = axes.lines
        assert [*line.get_xy1(), *line.get_xy2()] == [2, 1, 3, 1] and np.array_equal(points.get_xydata(), X)
        assert np.array_equal(projections.get_xydata(), projected) and np.array_equal(middle.get_xydata(), [mean])
    legend, = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {"the line", "residuals", "points", "projections",
                                                                 "the mean"}
