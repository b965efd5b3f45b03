"""What TensorBoard reads: an event file, the graph of a network, and the files of the Embedding Projector.

The formats are written by tensorboardX and tensorboard (the extra `tensorboard`). tensorboardX draws graphs of PyTorch
models only, so `graph_of` puts a graph together from its protocol buffers. Which numbers are logged, and when, is in
watching.py.

Shapes: N images, D pixels, C numbers in a code; a picture is (height, width), uint8 from 0 (black) to 255 (white).
"""

import math
import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np

from aelearn.core.files import replacing

LARGEST_SPRITE = 8192  # pixels on a side that the Embedding Projector can load
PROJECTOR = "projector"  # the folder of its files, inside that of the log


def require():
    """Raise ModuleNotFoundError, in a sentence that says what to do, if the extra `tensorboard` is not installed."""
    try:
        import tensorboard  # noqa: F401
        import tensorboardX  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError("logs for TensorBoard need tensorboard and tensorboardX: "
                                  "pip install 'aelearn[tensorboard]' installs them") from None


def has_events(folder):
    """Whether there is an event file in the folder."""
    return any(Path(folder).glob("*.tfevents.*"))


class EventLog:
    """A new event file in `folder`. It hides whatever older files there say about step `purge_step` and later ones.

    (tensorboardX's SummaryWriter writes in a thread, which a full disk ends without a word. Here, OSError is raised.)
    """

    def __init__(self, folder, purge_step):
        from tensorboard.summary.writer.record_writer import RecordWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        name = f"events.out.tfevents.{time.time_ns()}"  # TensorBoard reads the files in the order of their names
        self._file = RecordWriter(open(Path(folder) / name, "wb"))
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def _write(self, event):
        event.wall_time = time.time()
        self._file.write(event.SerializeToString())

    def add(self, step, *, scalars, pictures=(), histograms=()):
        """Write what belongs to a step: for each kind a dict, from a name to a number, a picture, or an array."""
        from tensorboardX import summary
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        parts = [summary.scalar(name, value) for name, value in scalars.items()]
        parts += [Summary(value=[Summary.Value(tag=name, image=_png(value))]) for name, value in dict(pictures).items()]
        parts += [summary.histogram(name, value, bins="doane") for name, value in dict(histograms).items()]
        whole = Summary()
        for part in parts:
            whole.MergeFrom(part)
        self._write(Event(step=step, summary=whole))

    def add_graph(self, architecture):
        """Write the graph of a network."""
        from tensorboardX.proto.event_pb2 import Event

        self._write(Event(graph_def=graph_of(architecture).SerializeToString()))

    def add_settings(self, settings, metrics):
        """Write hyperparameters, {name: number or string}, and the names of the scalars to compare runs by."""
        from tensorboardX import summary
        from tensorboardX.proto.event_pb2 import Event

        for part in summary.hparams(settings, dict.fromkeys(metrics)):
            self._write(Event(summary=part))

    def flush(self):
        """Hand all that was written to the operating system, so that TensorBoard sees it."""
        self._file.flush()

    def close(self):
        """Close the file; what was not flushed may be lost."""
        with suppress(OSError):
            self._file.close()


def _png(picture):
    """A picture (height, width) as an image of an event; tensorboardX makes it three times as large, in colour."""
    from PIL import Image  # Matplotlib depends on it
    from tensorboardX.proto.summary_pb2 import Summary

    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return Summary.Image(height=picture.shape[0], width=picture.shape[1], colorspace=1,
                         encoded_image_string=file.getvalue())


def graph_of(architecture):
    """A network (network.Architecture) as a GraphDef: a node for each operation, with the shape of its result.

    The operations of a layer, z = a @ W + b and f(z), and its parameters are in one group; the groups, in "encoder" and
    "decoder". The unknown number of images in a batch is -1, as TensorFlow has it.
    """
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

    nodes, widths = [], architecture.widths

    def add(name, operation, shape, *inputs):
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])
        nodes.append(NodeDef(name=name, op=operation, input=inputs,
                             attr={"_output_shapes": AttrValue(list=AttrValue.ListValue(shape=[shape]))}))
        return name

    a = images = add("images", "Placeholder", (-1, widths[0]))
    for layer in range(1, architecture.n_layers + 1):
        n_in, n_out = widths[layer - 1:layer + 1]
        group = f"{'encoder' if layer <= architecture.n_layers // 2 else 'decoder'}/layer_{layer}"
        W = add(f"{group}/W{layer}", "Variable", (n_in, n_out))
        b = add(f"{group}/b{layer}", "Variable", (n_out,))
        product = add(f"{group}/matmul", "MatMul", (-1, n_out), a, W)
        z = add(f"{group}/add", "Add", (-1, n_out), product, b)
        f = architecture.activation_of(layer)
        a = add(f"{group}/{f}", f, (-1, n_out), z)
    add(f"loss/{architecture.loss}", architecture.loss, (), a, images)
    return GraphDef(node=nodes)


def write_projector(folder, codes, labels, images, shape):
    """Write codes (N, C), labels (N,) or None, and images (N, D) in a sprite for the Embedding Projector of the log."""
    from google.protobuf import text_format
    from PIL import Image
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    folder, side = Path(folder), max(shape)
    (folder / PROJECTOR).mkdir(exist_ok=True)
    config = ProjectorConfig()
    embedding = config.embeddings.add(tensor_name="codes", tensor_path=f"{PROJECTOR}/codes.tsv")
    with replacing(folder / embedding.tensor_path, "w") as file:
        np.savetxt(file, codes, delimiter="\t", fmt="%.6g")
    if labels is not None:
        embedding.metadata_path = f"{PROJECTOR}/labels.tsv"
        with replacing(folder / embedding.metadata_path, "w", encoding="utf-8") as file:
            file.writelines(f"{' '.join(str(label).split())}\n" for label in labels.tolist())
    embedding.sprite.image_path = f"{PROJECTOR}/images.png"
    embedding.sprite.single_image_dim.extend([side, side])
    with replacing(folder / embedding.sprite.image_path) as file:
        Image.fromarray(sprite(images, shape)).save(file, "PNG")
    with replacing(folder / "projector_config.pbtxt", "w") as file:  # last: it names the others
        file.write(text_format.MessageToString(config))


def sprite(images, shape):
    """Images (N, D) in one square picture: row by row, each in a square of its own, as the Embedding Projector asks."""
    side, n_columns = max(shape), math.ceil(math.sqrt(len(images)))
    squares = np.zeros((n_columns**2, side, side), np.uint8)
    squares[:len(images), :shape[0], :shape[1]] = as_pixels(images).reshape(-1, *shape)
    return tiled(squares, n_columns)


def pairs(images, outputs, shape):
    """Images (N, D) above their reconstructions (N, D) in one picture, with grey lines between them."""
    both = as_pixels(np.concatenate([images, outputs]), images.min(), images.max()).reshape(-1, *shape)
    return tiled(np.pad(both, ((0, 0), (1, 1), (1, 1)), constant_values=128), len(images))


def tiled(pictures, n_columns):
    """Pictures (N, height, width) in rows of n_columns as one; N is a multiple of n_columns."""
    n, height, width = pictures.shape
    return pictures.reshape(-1, n_columns, height, width).swapaxes(1, 2).reshape(n // n_columns * height, -1)


def as_pixels(values, low=None, high=None):
    """Values from `low` to `high` (by default their smallest and largest) as uint8 from 0 to 255."""
    values = np.asarray(values, np.float64)
    low, high = (values.min() if low is None else low), (values.max() if high is None else high)
    return np.round(255 * (np.clip(values, low, high) - low) / ((high - low) or 1)).astype(np.uint8)
