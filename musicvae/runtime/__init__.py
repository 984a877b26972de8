"""The networks of a model in ONNX Runtime, and the loop of decoding. It needs no torch."""
