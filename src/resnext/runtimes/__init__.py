"""Exported networks opened to predict: ONNX Runtime, OpenVINO, PyTorch programs."""
