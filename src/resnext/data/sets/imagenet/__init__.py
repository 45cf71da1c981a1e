"""ImageNet-1K and ImageNet-5K on disk: checked, unpacked, sorted and chosen."""
