"""Measures the training speed of Magenta's TensorFlow MusicVAE, of any size, on random events.

Runs in its own environment, without musicvae: `training.py` starts it there. The first line of
standard input is JSON, the model's sizes:

    {"steps": 256, "classes": 90, "segments": 16, "latent": 512, "encoder": [256],
     "conductor": [256], "decoder": [256, 256], "batch_size": 32}

One segment makes a flat model, more segments a hierarchical model; a list has the width of each
layer. After a few steps of training, the answer is JSON: the number of weights, and versions. Each
further line is a number of seconds; the answer is the examples a second over that time, so that the
caller can measure two models alternately.

The classes are Magenta's, and a step is a step of its `music_vae_train`: teacher forcing (its
two-bar models sample part of their input, which takes longer), Adam, gradients clipped by their
norm. One thread.
"""

import json
import os
import sys
import time
import types
import warnings
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402  (as all that follow: they read the environment, and warn)

# Magenta imports with its models, but needs only for data: a name that NumPy has dropped, and a
# package of data sets.
np.bool = bool
sys.modules["tensorflow_datasets"] = types.ModuleType("tensorflow_datasets")

import tensorflow.compat.v1 as tf  # noqa: E402
from magenta import version  # noqa: E402
from magenta.contrib.training import HParams  # noqa: E402
from magenta.models.music_vae import MusicVAE, lstm_models  # noqa: E402

WARM_UP = 3


class BarDecoder(lstm_models.CategoricalLstmDecoder):
    """Magenta's decoder, with other widths than the conductor; Magenta gives both the same."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self._widths = widths

    def build(self, hparams: HParams, output_depth: int, is_training: bool = True) -> None:  # noqa: FBT001, FBT002  (Magenta's signature)
        """Builds the decoder with its own widths."""
        own = HParams(**{**hparams.values(), "dec_rnn_size": self._widths})
        super().build(own, output_depth, is_training)


def build(sizes: dict[str, Any]) -> MusicVAE:
    """The model: `cat-mel_2bar`, `flat-mel_16bar` or `hierdec-mel_16bar` with other sizes."""
    decoder = BarDecoder(sizes["decoder"])
    is_flat = sizes["segments"] == 1
    if not is_flat:
        decoder = lstm_models.HierarchicalLstmDecoder(
            decoder,
            level_lengths=[sizes["segments"], sizes["steps"] // sizes["segments"]],
            disable_autoregression=True,
        )
    model = MusicVAE(lstm_models.BidirectionalLstmEncoder(), decoder)
    settings = {
        **lstm_models.get_default_hparams().values(),
        "batch_size": sizes["batch_size"],
        "max_seq_len": sizes["steps"],
        "z_size": sizes["latent"],
        "enc_rnn_size": sizes["encoder"],
        "dec_rnn_size": sizes["decoder" if is_flat else "conductor"],
        "max_beta": 0.2,
    }
    model.build(HParams(**settings), sizes["classes"], is_training=True)
    return model


def make_step(model: MusicVAE, sizes: dict[str, Any]) -> tf.Operation:
    """Magenta's training step, on random events from a data set in memory."""
    random = np.random.default_rng(0)
    labels = random.integers(0, sizes["classes"], (sizes["batch_size"], sizes["steps"]))
    events = np.eye(sizes["classes"], dtype=bool)[labels]
    lengths = np.full(sizes["batch_size"], sizes["steps"], np.int32)
    examples = tf.data.Dataset.from_tensors((events, lengths)).repeat()
    one_hot, length = tf.data.make_one_shot_iterator(examples).get_next()
    optimizer = model.train(one_hot, one_hot, length)
    gradients, variables = zip(*optimizer.compute_gradients(model.loss), strict=True)
    norm = tf.global_norm(gradients)
    clipped = tf.cond(
        norm < model.hparams.grad_norm_clip_to_zero,
        lambda: tf.clip_by_global_norm(gradients, model.hparams.grad_clip, use_norm=norm)[0],
        lambda: [tf.zeros_like(gradient) for gradient in gradients],
    )
    return optimizer.apply_gradients(
        zip(clipped, variables, strict=True), global_step=model.global_step
    )


def main() -> None:
    """Builds the model of the first line, then trains for the seconds of each line."""
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_v2_behavior()
    sizes = json.loads(sys.stdin.readline())
    step = make_step(build(sizes), sizes)
    one_thread = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    with tf.Session(config=one_thread) as session:
        session.run(tf.global_variables_initializer())
        for _ in range(WARM_UP):
            session.run(step)
        weights = sum(variable.shape.num_elements() for variable in tf.trainable_variables())
        built = {
            "weights": weights,
            "magenta": version.__version__,
            "tensorflow": tf.__version__,
        }
        print(json.dumps(built), flush=True)
        for line in sys.stdin:
            session.run(step)
            count, start = 0, time.perf_counter()
            while (passed := time.perf_counter() - start) < float(line):
                session.run(step)
                count += 1
            examples_per_s = count * sizes["batch_size"] / passed
            print(json.dumps({"examples_per_s": examples_per_s}), flush=True)


if __name__ == "__main__":
    main()
