"""The network as data and modules: config, blocks in three forms, network, presets, weights."""
