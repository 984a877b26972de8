"""Windows that may become excerpts: rules reject windows, and each rejection has its reason."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int16, Int64, Shaped

from musicvae.data_pipeline.rejections import Rejection


class Candidates:
    """Windows of one length. A window counts for the first rule that it breaks.

    Args:
        first_steps: The step at which each window starts.
        length_steps: The length of every window.
        lanes: The number of the lane of each window (see `lines.lanes`), ascending; None puts all
            windows in lane 0.

    Attributes:
        is_kept: Whether each window has broken no rule so far.
        rejections: The rejections of each lane, in the order of the rules.
    """

    def __init__(
        self,
        first_steps: Int64[np.ndarray, " batch"],
        length_steps: int,
        lanes: Int64[np.ndarray, " batch"] | None = None,
    ) -> None:
        self.first_steps = first_steps
        self.length_steps = length_steps
        self.lanes = np.zeros(len(first_steps), np.int64) if lanes is None else lanes
        self.is_kept = np.ones(len(first_steps), bool)
        self.rejections: dict[int, list[Rejection]] = defaultdict(list)

    def reject(
        self, reason: str, is_broken: Bool[np.ndarray, " batch"], tell: Callable[[int], str]
    ) -> None:
        """Rejects the windows that break a rule.

        Args:
            reason: The reason's name.
            is_broken: Whether each window breaks the rule.
            tell: Describes the finding in the window of a number.
        """
        broken = (is_broken & self.is_kept).nonzero()[0]
        if not len(broken):
            return
        self.is_kept[broken] = False
        lanes = self.lanes[broken]
        firsts = np.flatnonzero(np.append(True, lanes[1:] != lanes[:-1]))
        counts = np.diff(firsts, append=len(lanes))
        for lane, window, count in zip(
            lanes[firsts].tolist(), broken[firsts].tolist(), counts.tolist(), strict=True
        ):
            self.rejections[lane].append(Rejection("excerpt", reason, tell(window), count))

    def sums(self, counts: Shaped[np.ndarray, " step"]) -> Int64[np.ndarray, " batch"]:
        """The sum over each window of whole numbers, one a step."""
        sums = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=sums[1:])
        within: Int64[np.ndarray, " batch"] = (
            sums[self.first_steps + self.length_steps] - sums[self.first_steps]
        )
        return within

    def have_silence(
        self, sounds: Bool[np.ndarray, " step"], silence_steps: int
    ) -> Bool[np.ndarray, " batch"]:
        """Whether each window holds a silence of `silence_steps` or more."""
        if silence_steps > self.length_steps:
            return np.zeros(len(self.first_steps), bool)
        sums = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sounds, out=sums[1:])
        silences = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sums[silence_steps:] == sums[:-silence_steps], out=silences[silence_steps:])
        # From this step on, a whole silence that ends here lies within the window.
        low = self.first_steps + silence_steps - 1
        have_silence: Bool[np.ndarray, " batch"] = (
            silences[self.first_steps + self.length_steps] > silences[low]
        )
        return have_silence

    def take(self, rows: Int16[np.ndarray, "step *any"]) -> Int16[np.ndarray, "batch _ *any"]:
        """The rows of the windows that are kept."""
        return rows[self.first_steps[self.is_kept][:, None] + np.arange(self.length_steps)]
