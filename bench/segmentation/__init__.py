"""Segmentation: ours against segmentation_models_pytorch and torchvision, on one encoder.

python -m bench.segmentation.compare FOLDER ROWS
python -m bench.segmentation.step --pairs 7
"""
