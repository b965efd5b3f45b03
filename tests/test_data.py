"""Data: the right files, the right splits, and one clear error message for every damaged folder."""

import gzip
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from aelearn import load_mnist, make_blobs, make_circles, make_moons
from aelearn.data import SPLITS, default_directory, image_shape, moved_images, read_idx

DATA = Path(__file__).parent.parent / "data"


def write_folder(folder, *, n_train=24, n_test=5, shape=(3, 4), gzipped=False, seed=0):
    """A small folder in MNIST's format, written byte by byte; the labels are 0, 1, 2, 0, 1, 2, ..."""
    rng = np.random.default_rng(seed)
    for prefix, n in (("train", n_train), ("t10k", n_test)):
        pixels = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
        contents = {f"{prefix}-images-idx3-ubyte": struct.pack(">4I", 2051, n, *shape) + pixels.tobytes(),
                    f"{prefix}-labels-idx1-ubyte": struct.pack(">2I", 2049, n) + bytes(i % 3 for i in range(n))}
        for name, content in contents.items():
            path = folder / (name + (".gz" if gzipped else ""))
            path.write_bytes(gzip.compress(content) if gzipped else content)
    return folder


def test_checksums_of_the_readme_are_those_of_the_files():
    sums = dict(re.findall(r"`([\w-]+-ubyte)\.gz`.*?`([0-9a-f]{32})`", (DATA / "README.md").read_text()))
    assert len(sums) == 4
    for name, md5 in sums.items():
        raw = (DATA / "mnist" / f"{name}.gz").read_bytes()
        assert hashlib.md5(gzip.decompress(raw)).hexdigest() == md5
        assert raw[4:8] == bytes(4) and not raw[3] & 8, f"{name}.gz holds a time stamp or a file name"


@pytest.mark.parametrize("split, n", [("train", 55_000), ("validation", 5_000), ("train60k", 60_000), ("test", 10_000)])
def test_splits(split, n):
    images, labels = load_mnist(split)
    assert images.shape == (n, 784) and images.dtype == np.float32
    assert labels.shape == (n,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert set(labels) == set(range(10))


def test_train_and_validation_are_the_parts_of_train60k():
    images, labels = load_mnist("train60k")
    parts = [load_mnist("validation"), load_mnist("train")]
    assert np.array_equal(np.concatenate([part[0] for part in parts]), images)
    assert np.array_equal(np.concatenate([part[1] for part in parts]), labels)


def test_zeros_and_ones(digits):
    images, labels = digits
    assert np.bincount(labels).tolist() == [5444, 6179]
    assert len(load_mnist("test", digits=(0, 1))[0]) == 2115
    every_image, every_label = load_mnist("train", dtype=np.float64)
    keep = every_label <= 1
    assert every_image.dtype == np.float64
    np.testing.assert_allclose(images, every_image[keep], rtol=1e-6)
    assert np.array_equal(labels, every_label[keep])


@pytest.mark.parametrize("gzipped", [False, True])
def test_any_folder(tmp_path, gzipped):
    write_folder(tmp_path, gzipped=gzipped)
    images, labels = load_mnist("train60k", directory=tmp_path)
    assert images.shape == (24, 12) and labels.tolist() == [0, 1, 2] * 8
    assert len(load_mnist("validation", directory=str(tmp_path))[0]) == 2  # a twelfth
    assert len(load_mnist("train", directory=tmp_path)[0]) == 22
    assert image_shape(tmp_path) == (3, 4)


def test_gzipped_without_saying_so_in_the_name(tmp_path):
    for path in list(write_folder(tmp_path, gzipped=True).iterdir()):
        path.rename(path.with_suffix(""))
    assert load_mnist("test", directory=tmp_path)[0].shape == (5, 12)


def test_the_other_spelling_of_the_names(tmp_path):
    for path in list(write_folder(tmp_path).iterdir()):
        path.rename(tmp_path / path.name.replace("-idx", ".idx"))
    assert load_mnist("test", directory=tmp_path)[0].shape == (5, 12)


def test_a_folder_too_small_for_a_validation_split(tmp_path):
    write_folder(tmp_path, n_train=11)
    with pytest.raises(ValueError, match="train-images-idx3-ubyte has 11 images: too few for a validation split"):
        load_mnist("validation", directory=tmp_path)
    assert len(load_mnist("train", directory=tmp_path)[0]) == len(load_mnist("train60k", directory=tmp_path)[0]) == 11
    write_folder(tmp_path, n_train=12)
    assert len(load_mnist("validation", directory=tmp_path)[0]) == 1


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("sizes", [{"n_train": 0, "n_test": 0}, {"shape": (0, 0)}, {"shape": (3, 0)}])
def test_folders_of_nothing(tmp_path, sizes, gzipped):
    write_folder(tmp_path, **sizes, gzipped=gzipped)
    words = r"-images-idx3-ubyte(.gz)? is empty: according to its header it holds \d+ x \d x \d"
    for use in (*(lambda split=split: load_mnist(split, directory=tmp_path) for split in SPLITS),
                lambda: load_mnist("test", digits=(0,), directory=tmp_path), lambda: image_shape(tmp_path)):
        with pytest.raises(ValueError, match=words):
            use()


def test_digits_that_the_file_has_but_not_the_split(tmp_path):
    write_folder(tmp_path)  # the validation split has two images, 0 and 1
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte, validation split, has no images of 2; .* of 0, 1"):
        load_mnist("validation", digits=(2,), directory=tmp_path)


@pytest.mark.parametrize("digits", [(0, 2), {2, 0}, iter((2, 0)), np.array([0, 2], ">i4"), {2: "two", 0: "zero"}.keys(),
                                    (digit for digit in (0, 2)), range(0, 3, 2)])
def test_digits_in_any_iterable(tmp_path, digits):
    assert load_mnist("test", digits=digits, directory=write_folder(tmp_path))[1].tolist() == [0, 2, 0]


def damage(path, how):
    content = path.read_bytes()
    path.write_bytes(how(content))


DAMAGES = {
    "truncated": (lambda c: c[:-7], "truncated"),
    "only half a header": (lambda c: c[:6], "truncated"),
    "empty": (lambda c: b"", "truncated"),
    "too long": (lambda c: c + b"1", "too long"),
    "wrong magic number": (lambda c: b"\0\0\x0d\3" + c[4:], "magic number 3331"),
    "labels where images should be": (lambda c: struct.pack(">2I", 2049, 24) + bytes(24), "magic number 2049"),
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("gzipped", [False, True])
def test_damaged_files_are_named(tmp_path, how, gzipped):
    write_folder(tmp_path, gzipped=gzipped)
    path = next(tmp_path.glob("train-images*"))
    change, words = DAMAGES[how]
    damage(path, (lambda c: gzip.compress(change(gzip.decompress(c)))) if gzipped else change)
    with pytest.raises(ValueError, match=words) as error:
        load_mnist("train", directory=tmp_path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("change, words", [(lambda c: c[:-20], "truncated or damaged"),
                                           (lambda c: b"plain text", "not a gzip file"),
                                           (lambda c: c[:40] + b"xxxx" + c[44:], "truncated or damaged"),
                                           (lambda c: c[:-8] + bytes(8), "truncated or damaged")])
def test_damaged_gzip(tmp_path, change, words):
    path = next(write_folder(tmp_path, gzipped=True).glob("t10k-images*"))
    damage(path, change)
    with pytest.raises(ValueError, match=words) as error:
        load_mnist("test", directory=tmp_path)
    assert str(path) in str(error.value)


def test_counts_that_differ(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 4) + bytes(4))
    with pytest.raises(ValueError, match="5 images, .*labels-idx1-ubyte has 4 labels"):
        load_mnist("test", directory=tmp_path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        load_mnist(directory=tmp_path / "nowhere")
    write_folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        load_mnist(directory=tmp_path)


@pytest.mark.parametrize("arguments, error, words", [
    ({"digits": (0, 7)}, ValueError, "no images of 7; it has images of 0, 1, 2"),
    ({"digits": ()}, ValueError, "one or more"),
    ({"digits": (1, 1)}, ValueError, "different labels"),
    ({"digits": (0.5,)}, TypeError, "integer"),
    ({"digits": 5}, TypeError, "sequence"),
    ({"digits": iter((1, 1))}, ValueError, r"different labels; got \(1, 1\)"),
    ({"digits": "01"}, TypeError, "each of digits must be an integer; got '0'"),
    ({"digits": np.ma.array([0, 1], mask=[0, 1])}, TypeError, "each of digits must be an integer; got masked"),
    ({"directory": b"folder"}, TypeError, "directory must be a path.*bytes"),
    ({"directory": 3}, TypeError, "directory must be a path.*int"),
    ({"split": np.array(["train", "test"])}, ValueError, "train60k"),
    ({"dtype": ">f4"}, TypeError, "float32"),
    ({"digits": (-1,)}, ValueError, "from 0 to 255"),
    ({"split": "all"}, ValueError, "train60k"),
    ({"dtype": np.int32}, TypeError, "float32"),
    ({"dtype": "nonsense"}, TypeError, "float32"),
])
def test_bad_arguments(tmp_path, arguments, error, words):
    with pytest.raises(error, match=words):
        load_mnist(**{"directory": write_folder(tmp_path), **arguments})


def test_read_idx_of_the_shipped_labels():
    labels = read_idx(default_directory() / "train-labels-idx1-ubyte.gz", 1)
    assert labels.shape == (60_000,) and labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_blobs():
    centers = np.array([[0.0, 0.0, 0.0], [50.0, 0.0, -50.0]])
    points, labels = make_blobs(1001, centers=centers, cluster_std=0.5, random_state=1)
    assert points.shape == (1001, 3) and sorted(np.bincount(labels).tolist()) == [500, 501]
    for k in range(2):
        np.testing.assert_allclose(points[labels == k].mean(axis=0), centers[k], atol=0.1)
        np.testing.assert_allclose(points[labels == k].std(axis=0), 0.5, atol=0.1)
    again = make_blobs(1001, centers=centers, cluster_std=0.5, random_state=1)
    assert np.array_equal(points, again[0]) and np.array_equal(labels, again[1])
    assert make_blobs(10, centers=4, n_features=7)[0].shape == (10, 7)
    with pytest.raises(TypeError, match="n_samples"):
        make_blobs("many")


@pytest.mark.parametrize("centers", [np.array([[0, 90], [50, -50]], ">i2"), [[0, 90], [50, -50]],
                                     np.ma.array([[0.0, 90.0], [50.0, -50.0]])])
def test_blobs_about_centers_of_any_kind(centers):
    points, labels = make_blobs(20, centers=centers, cluster_std=0, random_state=0)
    assert points.dtype == np.float64 and np.array_equal(points, np.array([[0.0, 90], [50, -50]])[labels])


@pytest.mark.parametrize("make, error, words", [
    (lambda: make_blobs(10, centers=[[np.nan, 0.0]]), ValueError, "centers contains NaN"),
    (lambda: make_blobs(10, centers=np.ma.array([[1.0, 0]], mask=[[0, 1]])), ValueError, "centers has masked entries"),
    (lambda: make_blobs(10, centers=iter([[1.0, 0.0]])), TypeError, "centers must be an array; got an iterator"),
    (lambda: make_blobs(10, centers={1, 2}), TypeError, "centers must be an integer or an array.*set"),
    (lambda: make_blobs(10, centers=np.array([[1j, 0]])), ValueError, "Complex data not supported: centers"),
    (lambda: make_blobs(10, centers=[["1", "2"]]), ValueError, "centers must hold numbers"),
    (lambda: make_blobs(10, centers=[[10**400, 0]]), ValueError, "centers must hold numbers"),
    (lambda: make_blobs(10, centers=[[1], [1, 2]]), ValueError, "centers must be an array; got rows of different"),
    (lambda: make_blobs(10, centers=[1.0, 2.0]), ValueError, r"an array \(K, D\); got an array of shape \(2,\)"),
    (lambda: make_blobs(10, centers=3.0), TypeError, "centers must be an integer"),
    (lambda: make_blobs(10, cluster_std=1.7e308, random_state=0), ValueError, "cluster_std = 1.7e.308 moves points"),
    (lambda: make_moons(10, noise=1.7e308, random_state=0), ValueError, "noise = 1.7e.308 moves points"),
    (lambda: make_circles(10, noise=1.7e308, random_state=0), ValueError, "noise = 1.7e.308 moves points"),
])
def test_points_that_cannot_be_made(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_moons_and_circles_without_noise():
    points, labels = make_moons(200, noise=0, random_state=0)
    upper, lower = points[labels == 0], points[labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert (upper[:, 1] >= 0).all() and (lower[:, 1] <= 0.5).all()
    points, labels = make_circles(200, factor=0.3, noise=0, random_state=0)
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 0, 1, 0.3))
    with pytest.raises(ValueError, match="factor"):
        make_circles(10, factor=1.5)
    with pytest.raises(ValueError, match="noise"):
        make_moons(10, noise=-1)


def test_nothing_touches_numpys_global_random_state():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    make_blobs(random_state=0), make_moons(), make_circles(random_state=np.random.default_rng(1))
    assert np.array_equal(before, np.random.get_state()[1])


def moved_by_loops(image, angle, shift):
    """The definition: each pixel is read off between four pixels of the original, and 0 outside of it."""
    n_rows, n_columns = image.shape
    framed = np.pad(image, 2)
    moved = np.zeros(image.shape)
    for r in range(n_rows):
        for c in range(n_columns):
            u, v = r - (n_rows - 1) / 2, c - (n_columns - 1) / 2
            y = np.cos(angle) * u - np.sin(angle) * v + shift[0] + (n_rows - 1) / 2
            x = np.sin(angle) * u + np.cos(angle) * v + shift[1] + (n_columns - 1) / 2
            if -1 < y < n_rows and -1 < x < n_columns:
                i, j = int(np.floor(y)), int(np.floor(x))
                f, g = y - i, x - j
                corner = framed[i + 2:i + 4, j + 2:j + 4]
                moved[r, c] = np.array([1 - f, f]) @ corner @ np.array([1 - g, g])
    return moved


@pytest.mark.parametrize("shape, given", [((9, 9), None), ((5, 8), (5, 8)), ((1, 6), (1, 6))])
@pytest.mark.parametrize("dtype, atol", [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_moved_images_are_those_of_the_definition(rng, shape, given, dtype, atol):
    images = rng.random((7, shape[0] * shape[1])).astype(dtype)
    moved = moved_images(images, np.random.default_rng(3), pixels=2.0, degrees=30.0, shape=given)
    draws = np.random.default_rng(3)
    angles, shifts = np.radians(draws.uniform(-30, 30, 7)), draws.uniform(-2, 2, (2, 7))
    assert moved.dtype == dtype and not np.shares_memory(moved, images)
    for n in range(7):
        wanted = moved_by_loops(images[n].reshape(shape), angles[n], shifts[:, n])
        np.testing.assert_allclose(moved[n].reshape(shape), wanted, atol=atol)


def test_images_that_are_not_moved_stay_the_same(few_digits):
    images = few_digits[0]  # read-only, 500 of them: several blocks
    assert np.array_equal(moved_images(images, 0, pixels=0, degrees=0), images)
    moved = moved_images(images, 0)
    assert np.array_equal(moved, moved_images(np.asfortranarray(images), 0)) and moved.flags.c_contiguous
    assert not np.array_equal(moved, moved_images(images, 1))
    assert moved.min() == 0 and moved.max() <= 1 and (moved != images).any(axis=1).all()
    assert moved.sum() == pytest.approx(images.sum(), rel=0.01)  # hardly any ink leaves the picture
    assert moved_images(images[:2], 0, pixels=1e6).max() == 0


def test_moves_and_shapes_that_are_none(rng):
    images = rng.random((3, 12))
    with pytest.raises(ValueError, match="12 pixels are not square: pass shape"):
        moved_images(images, rng)
    for shape, error, words in (((3, 5), ValueError, "not 3 x 5"), (12, TypeError, "a pair"), ("34", TypeError, "pair"),
                                ((12,), TypeError, "a pair"), ((3, 4.0), TypeError, "integer")):
        with pytest.raises(error, match=words):
            moved_images(images, rng, shape=shape)
    for settings, words in (({"pixels": -1}, "pixels must"), ({"degrees": np.inf}, "degrees must")):
        with pytest.raises(ValueError, match=words):
            moved_images(images, rng, shape=(3, 4), **settings)
