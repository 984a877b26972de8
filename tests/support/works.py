"""Work for a pool of processes, which can be pickled: what each item does to its process."""

import os
import time


def eat():
    try:
        return len(bytearray(1 << 30))
    except MemoryError:
        return "too much"


def do(batch, begin):
    """The items that were done; each item is the deed done, or `slow` with seconds."""
    begin(len(batch.items))
    if not batch.is_single and "crash together" in batch.items:
        os._exit(4)
    done = []
    for number, item in enumerate(batch.items):
        if number in batch.failures:
            done.append(batch.failures[number].reason)
            continue
        begin(number)
        match item:
            case "crash" | "crash together":
                os._exit(3)
            case "hang":
                time.sleep(600)
            case "full":
                raise OSError(28, "No space left on device", "a.bin")
            case "eat":
                done.append(eat())
                continue
            case float():
                time.sleep(item)
        done.append(item)
    begin(len(batch.items))
    return done
