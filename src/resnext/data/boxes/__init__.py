"""Images with boxes around their objects: COCO's JSON, Pascal VOC's XML and YOLO's text read.

Files come from outside: they are bounded, and whatever is wrong with a box is repaired or left out
and noted with its place. May import `data.decode` and the modules at the top; needs no torch.
"""
