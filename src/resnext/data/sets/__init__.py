"""Where the images come from: named sets, class folders, tables, ImageNet."""
