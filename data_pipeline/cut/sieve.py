"""Takes out the windows of a piece that break a rule; each is counted by the first it breaks."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Int16, Int64, Shaped

from .excerpts import Tally
from .rules import Reason


class Sieve:
    """Windows of one length, of which each rule takes out those that break it.

    Args:
        first_steps: The step at which each window starts.
        length_steps: How long all are.
        tally: Counts those that are taken out.
        stream: What the reasons are named after, where a window has several streams.

    Attributes:
        is_kept: Which are left.
    """

    def __init__(
        self,
        first_steps: Int64[np.ndarray, " batch"],
        length_steps: int,
        tally: Tally,
        stream: str = "",
    ) -> None:
        self.first_steps = first_steps
        self.length_steps = length_steps
        self.is_kept = np.ones(len(first_steps), bool)
        self.tally = tally
        self._prefix = f"{stream}_" if stream else ""

    def drop(
        self, name: str, is_broken: Bool[np.ndarray, " batch"], tell: Callable[[int], str]
    ) -> None:
        """Takes out the windows that break a rule.

        Args:
            name: The reason's.
            is_broken: Which windows break it.
            tell: Says what was found in the window that starts at a step.
        """
        is_dropped = is_broken & self.is_kept
        if is_dropped.any():
            first = int(self.first_steps[is_dropped.argmax()])
            reason = Reason(self._prefix + name, tell(first))
            self.tally.add("excerpt", reason, int(np.count_nonzero(is_dropped)))
            self.is_kept &= ~is_dropped

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
        """Whether each window holds a silence of so many steps."""
        if silence_steps > self.length_steps:
            return np.zeros(len(self.first_steps), bool)
        sums = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sounds, out=sums[1:])
        silences = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sums[silence_steps:] == sums[:-silence_steps], out=silences[silence_steps:])
        # The last step of a silence that is as long is within the window from here on.
        low = self.first_steps + silence_steps - 1
        have_silence: Bool[np.ndarray, " batch"] = (
            silences[self.first_steps + self.length_steps] > silences[low]
        )
        return have_silence

    def take(self, rows: Int16[np.ndarray, "step *any"]) -> Int16[np.ndarray, "batch _ *any"]:
        """The rows of the windows that are kept."""
        return rows[self.first_steps[self.is_kept][:, None] + np.arange(self.length_steps)]
