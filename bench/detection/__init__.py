"""Detection: ours against torchvision's RetinaNet in its reference loop, on one backbone.

python -m bench.detection.compare ADDRESS ROWS --backbone RUN
"""
