"""Asks a running server for drums, and has its groove model play them.

musicvae serve &
python examples/server.py localhost:50051
"""

import sys

from musicvae import Client, Excerpt, GrooveRequest, SampleRequest

with Client(sys.argv[1]) as client:
    (beat,) = client.sample(SampleRequest(model="drums-2bar", seed=1))
    played = client.groove(GrooveRequest(point=Excerpt(notes=beat.notes), seed=1)).after
    played.save("groove.mid")
    print(f"groove.mid: {len(played.notes.notes)} hits, played by {played.model}")
