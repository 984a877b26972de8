"""All that plays a model: its networks in ONNX Runtime, its draws and its latents. No torch."""
