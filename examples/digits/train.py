"""Train the network of this example and write what is checked in of it.

    python train.py     writes model.pb, heldout.json and digit.png beside itself

The pictures are those that come inside scikit-learn; the network learns from four fifths of them and
heldout.json holds the others. Nothing else needs scikit-learn: install it where it is to be forgotten
again (`python -m venv /tmp/digits && /tmp/digits/bin/pip install scikit-learn==1.5.2`).
"""

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-not-found] # for retraining only
from sklearn.model_selection import train_test_split  # type: ignore[import-not-found] # likewise
from sklearn.neural_network import MLPClassifier  # type: ignore[import-not-found] # likewise

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

HERE = Path(__file__).parent
SIDE = 8
INK = 16  # the darkest sample of a picture
WIDTH = 64
BLUR = 0.15  # of a sample that goes to each neighbour
SEED = 1


def to_input(pictures: Array) -> Array:
    """Each picture's samples from 0 to 1, as reduce.h makes them."""
    least = pictures.min(axis=1, keepdims=True)
    scaled: Array = (pictures - least) / (pictures.max(axis=1, keepdims=True) - least)
    return scaled


def soften(pictures: Array) -> Array:
    """The pictures as they are after an enlargement that blurs and the averaging that follows."""
    padded = np.pad(pictures.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = BLUR * (padded[:, :-2] + padded[:, 2:]) + (1 - 2 * BLUR) * padded[:, 1:-1]
    soft: Array = BLUR * (rows[:, :, :-2] + rows[:, :, 2:]) + (1 - 2 * BLUR) * rows[:, :, 1:-1]
    return soft.reshape(-1, SIDE * SIDE)


def train(pictures: Array, labels: Array) -> MLPClassifier:
    """A network of one hidden layer, which has seen each picture sharp and soft."""
    network = MLPClassifier(
        hidden_layer_sizes=(WIDTH,), alpha=0.1, max_iter=1000, random_state=SEED
    )
    both = np.concatenate((pictures, soften(pictures)))
    return network.fit(to_input(both), np.concatenate((labels, labels)))


def pack_model(weights: Sequence[Array], biases: Sequence[Array]) -> bytes:
    """The format that network.h reads; README.md describes it."""
    widths = [len(weights[0]), *map(len, biases)]
    head = b"MLP1" + struct.pack(f"<{1 + len(widths)}I", len(biases), *widths)
    rows = (
        np.column_stack((bias, weight.T)).astype("<f4").tobytes()
        for weight, bias in zip(weights, biases, strict=True)
    )
    return head + b"".join(rows)


def to_png(picture: Array) -> bytes:
    """A grey picture as a PNG file, dark ground and bright ink."""
    samples = np.round(picture * (255 / INK)).astype(np.uint8).reshape(SIDE, SIDE)
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def main() -> None:
    """Trains, says how good the network is, and writes the files."""
    data = load_digits()
    pictures, held_out, labels, expected = train_test_split(
        data.data, data.target, test_size=0.2, random_state=SEED, stratify=data.target
    )
    network = train(pictures, labels)
    (HERE / "model.pb").write_bytes(pack_model(network.coefs_, network.intercepts_))
    entries = [
        {"label": int(label), "png": base64.b64encode(to_png(picture)).decode()}
        for picture, label in zip(held_out, expected, strict=True)
    ]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    (HERE / "heldout.json").write_text(f"[\n{lines}\n]\n")
    (HERE / "digit.png").write_bytes(to_png(held_out[0]))
    print(f"{network.score(to_input(pictures), labels):.4f} of those it was trained with")
    print(f"{network.score(to_input(held_out), expected):.4f} of {len(held_out)} held out")
    print(f"digit.png shows a {expected[0]}")


if __name__ == "__main__":
    main()
