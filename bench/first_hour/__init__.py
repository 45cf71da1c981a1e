"""Compares a new user's first network: our defaults, a plain training loop, and timm's script.

python -m bench.first_hour.sets SOURCES SETS
python -m bench.first_hour.compare SETS OUT --timm-script PATH/train.py
"""
