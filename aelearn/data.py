"""Data to learn from: MNIST (or any folder in its IDX format), the same images moved a little, and three small
synthetic data sets.

Shapes: N samples, D features (784 pixels for MNIST's 28 x 28 images).

An IDX file is a header followed by the numbers themselves, all big-endian:

    byte 0, 1   zero
    byte 2      the type of the numbers; 8 means unsigned byte
    byte 3      the number of dimensions: 1 for labels, 3 for images
    then        the length of each dimension, 4 bytes each
    then        the data, with the last dimension varying fastest

Source of the format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import numbers
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from aelearn.core.arrays import blocks
from aelearn.core.validation import (
    as_array,
    as_float64,
    check_array,
    check_choice,
    check_finite,
    check_float_dtype,
    check_integer,
    check_number,
    generator,
)

GZIP_MAGIC = b"\x1f\x8b"  # the first two bytes of every gzip file
SPLITS = ("train", "validation", "train60k", "test")


def load_mnist(split="train", *, digits=None, directory=None, dtype=np.float32):
    """Images and labels of one split, in the order of the files.

    split      "train60k": all training images; "test": the test images;
               "validation": the first twelfth of the training images (MNIST: the first 5,000 of 60,000);
               "train": the rest of them (MNIST: images 5,000 to 59,999)
    digits     keep only these labels, such as (0, 1), in any iterable; None keeps all
    directory  a folder with the four IDX files, plain or gzipped; None: the MNIST files that come with aelearn
    dtype      np.float32 or np.float64

    Returns images (N, D) of `dtype`, each pixel divided by 255 and so in [0, 1], and labels (N,) int64.

    Raises FileNotFoundError if a file is missing; ValueError if a file is damaged or empty, the split has no images,
    the numbers of images and labels differ, or a digit does not occur; and ValueError or TypeError if an argument is
    none of the above.
    """
    dtype = check_float_dtype(dtype)
    pixels, labels, labels_path = _read_split(split, directory)  # (N, rows, columns), (N,)
    if digits is not None:
        keep = np.isin(labels, _check_digits(digits, labels, f"{labels_path}, {split} split,"))  # (N,)
        pixels, labels = pixels[keep], labels[keep]
    images = pixels.reshape(len(pixels), -1).astype(dtype)  # (N, D)
    images /= 255
    return images, labels.astype(np.int64)


def image_shape(directory=None):
    """(rows, columns) of the images in a folder: (28, 28) for MNIST."""
    return read_idx(_find_file(directory, "t10k-images", 3), 3).shape[1:]


def read_idx(path, n_dimensions):
    """The array of unsigned bytes in one IDX file, plain or gzipped.

    n_dimensions  what the file must contain: 1 for labels, 3 for images

    Raises ValueError, naming the file, if it is not a complete IDX file of that kind, or is empty.
    """
    path, n_dimensions = _path("path", path), check_integer("n_dimensions", n_dimensions, 1, 255)
    content = path.read_bytes()
    if content[:2] == GZIP_MAGIC:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is truncated or damaged: {error}") from None
    elif path.suffix == ".gz":
        raise ValueError(f"{path} is not a gzip file, although its name ends in .gz")
    header_size = 4 + 4 * n_dimensions
    if len(content) < header_size:
        raise ValueError(f"{path} is truncated: {len(content)} bytes, fewer than its {header_size}-byte header")
    magic, *shape = struct.unpack(f">{1 + n_dimensions}I", content[:header_size])
    wanted_magic = 0x0800 + n_dimensions  # type 8 (unsigned byte) and the number of dimensions
    if magic != wanted_magic:
        kind = {1: "labels", 3: "images"}.get(n_dimensions, f"{n_dimensions} dimensions")
        raise ValueError(f"{path} has the magic number {magic}; an IDX file of {kind} has {wanted_magic}")
    size = int(np.prod(shape, dtype=object))
    if len(content) - header_size != size:
        state = "truncated" if len(content) - header_size < size else "too long"
        raise ValueError(f"{path} is {state}: {len(content) - header_size:,} bytes of data, "
                         f"but its header announces {size:,}")
    if size == 0:
        raise ValueError(f"{path} is empty: according to its header it holds {' x '.join(map(str, shape))} numbers")
    return np.frombuffer(content, np.uint8, offset=header_size).reshape(shape)


def default_directory():
    """The folder of the MNIST files that come with aelearn: in an installed wheel, or in a checkout."""
    installed = Path(__file__).parent / "mnist"
    return installed if any(installed.glob("*.gz")) else Path(__file__).parent.parent / "data" / "mnist"


def _path(name, value):
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path, a str or a pathlib.Path; got {value!r} of type {type(value).__name__}")
    return Path(value)


def _find_file(directory, name, n_dimensions):
    """The path of `name` in `directory`, under any of the four usual spellings."""
    directory = default_directory() if directory is None else _path("directory", directory)
    if not os.path.isdir(directory):  # False, not an error, if the name is too long
        raise FileNotFoundError(f"{directory} is not a folder; it should contain the four IDX files of MNIST's format")
    spellings = [f"{name}{joint}idx{n_dimensions}-ubyte{ending}" for joint in "-." for ending in ("", ".gz")]
    for spelling in spellings:
        if (directory / spelling).is_file():
            return directory / spelling
    raise FileNotFoundError(f"{directory} has no file {spellings[0]} or {spellings[1]}")


def _read_split(split, directory):
    """Pixels (N, rows, columns), labels (N,) and the path of the label file (for messages)."""
    check_choice("split", split, SPLITS)
    prefix = "t10k" if split == "test" else "train"
    images_path = _find_file(directory, f"{prefix}-images", 3)
    labels_path = _find_file(directory, f"{prefix}-labels", 1)
    pixels, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(pixels) != len(labels):
        raise ValueError(f"{images_path} has {len(pixels)} images, but {labels_path} has {len(labels)} labels")
    n_validation = len(pixels) // 12
    if split == "validation" and n_validation == 0:
        raise ValueError(f"{images_path} has {len(pixels)} images: too few for a validation split, which is the first "
                         "twelfth of them")
    rows = {"train": slice(n_validation, None), "validation": slice(n_validation)}.get(split, slice(None))
    return pixels[rows], labels[rows], labels_path


def _check_digits(digits, labels, where):
    if not np.iterable(digits):
        raise TypeError(f"digits must be a sequence of labels, such as (0, 1); got {digits!r}")
    wanted = [check_integer("each of digits", digit, 0, 255) for digit in digits]
    if not wanted or len(set(wanted)) < len(wanted):
        raise ValueError(f"digits must be one or more different labels; got {tuple(wanted)}")
    missing = [digit for digit in wanted if digit not in labels]
    if missing:
        there = ", ".join(map(str, np.unique(labels)))
        raise ValueError(f"{where} has no images of {', '.join(map(str, missing))}; it has images of {there}")
    return wanted


def moved_images(images, rng, *, pixels=2.8, degrees=10.0, shape=None):
    """Each image shifted and turned a little, at random: `Autoencoder(augment=moved_images)` learns from such images.

    images   (N, D), of any floats
    rng      the np.random.Generator, or random_state, that draws the moves: for each image an angle from -degrees to
             degrees, around its middle, then a shift from -pixels to pixels in either direction, all uniform
    pixels   the largest shift; 2.8 is a tenth of the width of MNIST's images
    degrees  the largest angle
    shape    (rows, columns) of an image; None: square

    Returns the moved images (N, D), a new array of the same dtype. A pixel of a moved image is a point between four of
    the original's pixels, and their mean, weighted by nearness (bilinear interpolation). Outside an image all is 0. So
    no pixel is above the largest, or below 0 and the smallest.

    Raises ValueError or TypeError for anything that is no table of images, and for negative moves.
    """
    images = check_array(images, name="images", estimator="moved_images")
    n_rows, n_columns = _shape_of(shape, images.shape[1])
    pixels, degrees, rng = check_number("pixels", pixels, 0), check_number("degrees", degrees, 0), generator(rng)
    angles = np.radians(rng.uniform(-degrees, degrees, (len(images), 1, 1)))  # (N, 1, 1)
    shifts = rng.uniform(-pixels, pixels, (2, len(images), 1, 1))  # (2, N, 1, 1)
    moved = np.empty_like(images, order="C")  # (N, D)
    for rows in blocks(*images.shape):
        _move(images[rows].reshape(-1, n_rows, n_columns), angles[rows], shifts[:, rows],
              moved[rows].reshape(-1, n_rows, n_columns))
    return moved


def _shape_of(shape, n_pixels):
    """(rows, columns) of images with n_pixels. Raises ValueError if `shape` does not fit, or None and not square."""
    if shape is None:
        side = math.isqrt(n_pixels)
        if side * side != n_pixels:
            raise ValueError(f"images of {n_pixels} pixels are not square: pass shape=(rows, columns)")
        return side, side
    if not np.iterable(shape) or isinstance(shape, str) or len(shape) != 2:
        raise TypeError(f"shape must be a pair (rows, columns); got {shape!r}")
    n_rows, n_columns = (check_integer("each of shape", length, 1) for length in shape)
    if n_rows * n_columns != n_pixels:
        raise ValueError(f"images of {n_pixels} pixels are not {n_rows} x {n_columns}")
    return n_rows, n_columns


def _move(images, angles, shifts, moved):
    """Fill moved (B, rows, columns) with images of that shape, turned by angles (B, 1, 1), then shifted (2, B, 1, 1).

    Each pixel of a moved image at (u, v) from its middle comes from the original's point

        (cos u - sin v + shift, sin u + cos v + shift)

    of which the whole parts name a corner, and the fractions (f, g) give the weights of its four neighbours.
    """
    n_images, n_rows, n_columns = images.shape
    dtype = images.dtype
    framed = np.zeros((n_images, n_rows + 2, n_columns + 2), dtype)  # a frame of zeros, where points outside end
    framed[:, 1:-1, 1:-1] = images
    cos, sin, down, right = (array.astype(dtype) for array in (np.cos(angles), np.sin(angles), *shifts))  # (B, 1, 1)
    u = (np.arange(n_rows, dtype=dtype) - dtype.type((n_rows - 1) / 2))[:, None]  # (rows, 1)
    v = np.arange(n_columns, dtype=dtype) - dtype.type((n_columns - 1) / 2)  # (columns,)
    y = cos * u - sin * v + (down + dtype.type((n_rows + 1) / 2))  # (B, rows, columns)
    x = sin * u + cos * v + (right + dtype.type((n_columns + 1) / 2))  # (B, rows, columns)
    np.clip(y, 0, n_rows + 1, out=y)
    np.clip(x, 0, n_columns + 1, out=x)
    top, left = np.minimum(y.astype(np.int32), n_rows), np.minimum(x.astype(np.int32), n_columns)
    f, g = np.subtract(y, top, out=y, dtype=dtype), np.subtract(x, left, out=x, dtype=dtype)  # (B, rows, columns)
    width = n_columns + 2
    corner = top * np.int32(width) + left  # (B, rows, columns)
    corner += np.arange(n_images, dtype=np.int32)[:, None, None] * np.int32((n_rows + 2) * width)
    flat = framed.ravel()
    upper, below = flat[corner], flat[corner + np.int32(width)]  # (B, rows, columns)
    upper += (flat[corner + np.int32(1)] - upper) * g
    below += (flat[corner + np.int32(width + 1)] - below) * g
    below -= upper
    below *= f
    np.add(upper, below, out=moved)
    np.clip(moved, images.min(initial=0), images.max(initial=0), out=moved)  # rounding


def make_blobs(n_samples=300, *, centers=3, n_features=2, cluster_std=1.0, random_state=None):
    """Gaussian blobs: each point is one of the centres plus normal noise with standard deviation `cluster_std`.

    centers  how many centres to draw uniformly from [-10, 10]^D; or the centres themselves, shape (K, D)

    Returns points (N, D) float64 and the index of each point's centre, (N,) int64; the sizes of the blobs differ by at
    most one. Raises ValueError and TypeError for invalid settings.
    """
    n_samples = check_integer("n_samples", n_samples, 1)
    rng = generator(random_state)
    if isinstance(centers, numbers.Number):
        shape = check_integer("centers", centers, 1), check_integer("n_features", n_features, 1)
        centers = rng.uniform(-10, 10, shape)  # (K, D)
    centers = _check_centers(centers)
    labels = rng.permutation(np.arange(n_samples) % len(centers))  # (N,)
    return _with_noise(centers[labels], "cluster_std", cluster_std, rng), labels  # (N, D), (N,)


def _check_centers(centers):
    """The centres as a float64 array (K, D). Raises ValueError or TypeError for anything else."""
    if as_array(centers, "centers").ndim == 0:  # a set, for example
        raise TypeError(f"centers must be an integer or an array (K, D); got {type(centers).__name__}")
    centers = as_float64(centers, "centers")
    if centers.ndim != 2 or centers.size == 0:
        raise ValueError(f"centers must be a number or an array (K, D); got an array of shape {centers.shape}")
    check_finite(centers, "centers")
    return centers


def _with_noise(points, name, std, rng):
    """The points (N, D) plus normal noise; `name` is the user's name for its standard deviation."""
    with np.errstate(over="ignore"):  # rejected below
        points = points + check_number(name, std, 0) * rng.standard_normal(points.shape)  # (N, D)
    if not np.isfinite(points).all():
        raise ValueError(f"{name} = {std} moves points beyond the largest float64 number")
    return points


def make_moons(n_samples=300, *, noise=0.05, random_state=None):
    """Two interleaved half circles of radius 1; k-means cannot separate them.

    Upper moon (label 0): (cos t, sin t); lower moon (label 1): (1 - cos t, 0.5 - sin t); t from 0 to pi.
    `noise` is the standard deviation of normal noise on both coordinates.

    Returns points (N, 2) float64 and labels (N,) int64, in random order.
    """
    labels, position, rng = _two_curves(n_samples, random_state)
    t = np.pi * position  # (N,)
    upper = np.column_stack([np.cos(t), np.sin(t)])  # (N, 2)
    lower = np.column_stack([1 - np.cos(t), 0.5 - np.sin(t)])  # (N, 2)
    points = np.where(labels[:, None] == 0, upper, lower)  # (N, 2)
    return _with_noise(points, "noise", noise, rng), labels


def make_circles(n_samples=300, *, factor=0.5, noise=0.05, random_state=None):
    """Two circles around the origin: radius 1 (label 0) and radius `factor` (label 1).

    `noise` is the standard deviation of normal noise on both coordinates.

    Returns points (N, 2) float64 and labels (N,) int64, in random order.
    """
    labels, position, rng = _two_curves(n_samples, random_state)
    t = 2 * np.pi * position  # (N,)
    radius = np.where(labels == 0, 1.0, check_number("factor", factor, 0, 1))  # (N,)
    points = radius[:, None] * np.column_stack([np.cos(t), np.sin(t)])  # (N, 2)
    return _with_noise(points, "noise", noise, rng), labels


def _two_curves(n_samples, random_state):
    """Labels (N,), half of them 1; for each point a position in [0, 1) along its curve (N,); the generator."""
    n_samples = check_integer("n_samples", n_samples, 2)
    rng = generator(random_state)
    return rng.permutation(np.arange(n_samples) % 2), rng.random(n_samples), rng
