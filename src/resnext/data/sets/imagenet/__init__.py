"""ImageNet-1K and ImageNet-5K on disk: checking, unpacking, sorting and selection."""
